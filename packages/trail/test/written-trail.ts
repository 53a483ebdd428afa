import { createDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { migrate } from '../src/migrate.ts';
import { createSource, findSource } from '../src/sources.ts';

export interface WrittenChange {
  readonly relation?: number;
  readonly operation: string;
  readonly primaryKey?: string;
  readonly beforeKind?: string;
  readonly before?: string;
  readonly after?: string;
  readonly contextNo?: number;
}

export interface WrittenTransaction {
  readonly committedAt?: string;
  readonly contexts?: readonly (string | null)[];
  readonly actor?: string;
  readonly changes: readonly WrittenChange[];
}

export interface WrittenTrail {
  readonly client: pg.Client;
  /** Another connection to the audit database. */
  readonly connect: () => Promise<pg.Client>;
  readonly log: number;
  relation(
    relation: number,
    schema: string,
    table: string,
    root?: { schema: string; table: string },
  ): Promise<void>;
  /** Writes a transaction as the worker would. Returns the sequences of its changes. */
  transaction(transaction: WrittenTransaction): Promise<string[]>;
}

/** An audit database with an empty log, to be filled by hand: what a source would hardly send can be written too. */
export async function writtenTrail(name = 'app'): Promise<WrittenTrail> {
  const database = await createDatabase();
  const client = await database.connect();
  await migrate(client);
  await createSource(client, {
    name,
    systemIdentifier: '1',
    database: 'app',
    slot: 'bemi_slot',
    publication: 'bemi_publication',
    timeline: 1,
    completeFromLsn: '0/100',
  });
  const log = (await findSource(client, name))!.log;
  await client.query('SELECT bemi.create_partitions($1, 0, 1000000)', [log]);
  let next = 0;
  return {
    client,
    connect: () => database.connect(),
    log,
    async relation(relation, schema, table, root = { schema, table }) {
      next++; // its event
      await client.query(
        `INSERT INTO bemi.relations (log, relation, oid, schema_name, table_name, root_schema, root_table, document)
         VALUES ($1, $2, 1, $3, $4, $5, $6, '{}')`,
        [log, relation, schema, table, root.schema, root.table],
      );
    },
    async transaction({ committedAt = '2025-12-09 10:30:00Z', contexts = [], actor, changes }) {
      const first = next;
      const sequences: string[] = [];
      for (const [contextNo, context] of contexts.entries()) {
        await client.query(
          `INSERT INTO bemi.context_log (log, context_no, sequence, transaction, authenticity, context)
           VALUES ($1, $2, $3, $4, 'unsigned', $5)`,
          [log, contextNo, next++, first, context],
        );
      }
      for (const change of changes) {
        sequences.push(String(next));
        await client.query(
          `INSERT INTO bemi.change_log (log, relation, sequence, transaction, lsn, context_no, operation, before_kind, primary_key, before, after)
           VALUES ($1, $2, $3, $4, '0/1A2B', $5, $6, $7, $8, $9, $10)`,
          [
            log,
            change.relation ?? 1,
            next++,
            first,
            change.contextNo ?? 0,
            change.operation,
            change.beforeKind ?? (change.before === undefined ? 'none' : 'full'),
            change.primaryKey ?? null,
            change.before ?? null,
            change.after ?? null,
          ],
        );
      }
      await client.query(
        `INSERT INTO bemi.transaction_log (log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn, xid, committed_at, recorded_at, change_count, context_count, actor, salt)
         VALUES ($1, 1, $2, $3, '0/1A2B', '0/1A2C', '0/100', 4000000000, $4, $4, $5, $6, $7, $8)`,
        [
          ...[log, next++, first, committedAt, changes.length, contexts.length],
          ...(actor === undefined ? [null, null] : [actor, Buffer.alloc(16)]),
        ],
      );
      await client.query('UPDATE bemi.logs SET next_sequence = $2 WHERE log = $1', [log, next]);
      return sequences;
    },
  };
}
