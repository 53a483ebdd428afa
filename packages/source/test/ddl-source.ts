import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { applyPlan } from '../src/apply-plan.ts';
import type { DdlFunctionOptions } from '../src/ddl/ddl-functions.ts';
import { inspectDdl } from '../src/ddl/inspect-ddl.ts';
import { planDdl } from '../src/ddl/plan-ddl.ts';

/** A DDL message as it stands in the WAL. */
export interface DdlMessage {
  readonly version: number;
  readonly event: string;
  readonly tag: string;
  readonly part?: number;
  readonly via?: string;
  readonly statement?: string;
  readonly statement_withheld?: boolean;
  readonly statement_cut?: boolean;
  readonly objects: readonly Readonly<Record<string, unknown>>[];
  readonly session_user: string;
  readonly role?: string;
}

export interface DdlSource {
  readonly database: TestDatabase;
  readonly client: pg.Client;
  /** What the server has warned this client of. */
  readonly warnings: string[];
  /** What was said since the last call, in the order of commits. */
  messages(): Promise<readonly DdlMessage[]>;
  /** `relreplident` of the tables in a schema. */
  identities(schema?: string): Promise<Readonly<Record<string, string>>>;
}

/** A database with the event triggers, a publication for all tables, and a slot that is read by SQL. */
export async function createDdlSource(options: DdlFunctionOptions = {}): Promise<DdlSource> {
  const database = await createDatabase();
  const client = await database.connect();
  const warnings: string[] = [];
  client.on('notice', ({ severity, message }) => {
    if (severity === 'WARNING') warnings.push(message ?? '');
  });
  await applyPlan(client, planDdl(await inspectDdl(client), options));
  const slot = `ddl_${database.name}`;
  await client.query('CREATE PUBLICATION everything FOR ALL TABLES');
  await client.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  return {
    database,
    client,
    warnings,
    async messages() {
      const { rows } = await client.query<{ data: Buffer }>(
        `SELECT data FROM pg_logical_slot_get_binary_changes('${slot}', NULL, NULL, 'proto_version', '1',
                                                             'publication_names', 'everything', 'messages', 'true')`,
      );
      return rows.flatMap(({ data }) => ddlMessage(data) ?? []);
    },
    async identities(schema = 'public') {
      const { rows } = await client.query<{ name: string; identity: string }>(
        `SELECT relname AS name, relreplident AS identity FROM pg_class
          WHERE relkind IN ('r', 'p') AND relnamespace = $1::text::regnamespace ORDER BY 1`,
        [pg.escapeIdentifier(schema)],
      );
      return Object.fromEntries(rows.map(({ name, identity }) => [name, identity]));
    },
  };
}

/** https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html, Message */
function ddlMessage(data: Buffer): DdlMessage | undefined {
  if (data[0] !== 'M'.charCodeAt(0) || data[1] !== 1) return undefined;
  const prefixEnd = data.indexOf(0, 10);
  if (data.toString('utf8', 10, prefixEnd) !== '_bemi_ddl') return undefined;
  return JSON.parse(data.toString('utf8', prefixEnd + 5)) as DdlMessage;
}
