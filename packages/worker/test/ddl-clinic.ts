import { applyPlan } from '@bemi-db/source/apply-plan';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { planDdl } from '@bemi-db/source/ddl/plan-ddl';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { expect } from 'vitest';
import { createWorker, type WorkerOptions } from '../src/create-worker.ts';

export interface DdlClinic {
  readonly source: TestDatabase;
  readonly audit: TestDatabase;
  readonly sql: pg.Client;
  readonly trail: pg.Client;
  readonly targets: { readonly source: string; readonly destination: string; readonly slot: string };
  /** Records what there is, and verifies the log. */
  record(options?: Partial<WorkerOptions>): Promise<void>;
  verify(): Promise<void>;
  /** The log from its first transaction on, an entry a line; events other than `ddl` and `relation` left out. */
  entries(): Promise<string[]>;
}

/** A source with event triggers, and with the slot that a first worker has made. */
export async function createDdlClinic({
  audit: given,
  prepare = '',
}: {
  readonly audit?: 'the source';
  /** SQL that is run before the worker has made anything. */
  readonly prepare?: string;
} = {}): Promise<DdlClinic> {
  const source = await createDatabase();
  const audit = given ? source : await createDatabase();
  const sql = await source.connect();
  const trail = await audit.connect();
  const targets = { source: source.url, destination: audit.url, slot: `${source.name}_slot` };
  await applyPlan(sql, planDdl(await inspectDdl(sql)));
  await sql.query(prepare);
  await createWorker(targets).run({ drain: true });
  const verify = async () => {
    const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
    expect(report.findings).toEqual([]);
    await verifyLogStructure(trail);
  };
  return {
    ...{ source, audit, sql, trail, targets, verify },
    async record(options = {}) {
      await createWorker({ ...targets, ...options }).run({ drain: true });
      await verify();
    },
    async entries() {
      const { rows } = await trail.query<{ line: string }>(entriesQuery);
      return rows.map(({ line }) => line);
    },
  };
}

const entriesQuery = `
  SELECT line FROM (
    SELECT c.sequence, format('%s %s key=%s context=%s', c.operation, r.table_name, c.primary_key, c.context_no) AS line
      FROM bemi.change_log c JOIN bemi.relations r USING (log, relation)
    UNION ALL SELECT sequence, format('context %s', context) FROM bemi.context_log
    UNION ALL SELECT sequence, format('commit changes=%s contexts=%s', change_count, context_count) FROM bemi.transaction_log
    UNION ALL SELECT sequence, 'relation ' || (payload ->> 'table') FROM bemi.event_log WHERE kind = 'relation'
    UNION ALL SELECT sequence, concat_ws(' ', 'ddl', coalesce(payload ->> 'refused', concat(payload -> 'message' ->> 'event', ' ',
                       payload -> 'message' ->> 'tag', ' ',
                       (SELECT string_agg(coalesce(o ->> 'name', o ->> 'identity'), ',') FROM json_array_elements(CASE json_typeof(payload #> '{message,objects}') WHEN 'array' THEN payload #> '{message,objects}' ELSE '[]' END) o))),
                     'context=' || (payload ->> 'contextNumber'))
      FROM bemi.event_log WHERE kind = 'ddl') entries
   ORDER BY sequence`;
