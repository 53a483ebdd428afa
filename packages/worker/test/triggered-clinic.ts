import { type ContextTriggers, triggersUp } from '@bemi-db/source/context-triggers';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { eachChange } from '@bemi-db/trail/query/search-changes';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { createWorker } from '../src/create-worker.ts';

/** A source whose tables have triggers for context, or none. */
export interface TriggeredClinic extends RecordedDatabase {
  /** A connection of its own, closed when the test ends. */
  connect(config?: pg.ClientConfig): Promise<pg.Client>;
  /**
   * Records what was written, verifies the log, and says of each new change what it is, its context, and its actor where
   * there is one: `['INSERT 1', { userId: 'u1' }]`.
   */
  record(): Promise<RecordedChange[]>;
}

export type RecordedChange = readonly [what: string, context: unknown, actor?: unknown];

/** Tables `note` and `Odd "name".Ta'ble`, and the partitioned `visit`, each with a key `id` and a column `v`. */
export async function createTriggeredClinic(
  triggers: Partial<ContextTriggers> | undefined,
  prepare: (sql: pg.Client) => Promise<unknown> = async () => undefined,
): Promise<TriggeredClinic> {
  const database = await createRecordedDatabase(async (sql) => {
    await sql.query(`
      CREATE TABLE note (id int PRIMARY KEY, v text);
      CREATE SCHEMA "Odd ""name""";
      CREATE TABLE "Odd ""name"""."Ta'ble" (id int PRIMARY KEY, v text);
      CREATE TABLE visit (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE visit_low PARTITION OF visit FOR VALUES FROM (0) TO (10);
      CREATE TABLE visit_high PARTITION OF visit FOR VALUES FROM (10) TO (20)`);
    await prepare(sql);
    if (triggers) await sql.query(triggersUp({ kinds: ['context'], tables: 'all', ...triggers }));
  });
  const { source, audit, trail, slot } = database;
  let last = '-1';
  return {
    ...database,
    async connect(config = {}) {
      const client = new pg.Client({ connectionString: source.url, ...config });
      await client.connect();
      onTestFinished(() => client.end());
      return client;
    },
    async record() {
      await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
      const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
      expect(report.findings).toEqual([]);
      const changes: RecordedChange[] = [];
      const query = { log: 0, filter: { after: last }, limit: 1000, order: 'oldest-first' } as const;
      for await (const change of eachChange(trail, query)) {
        last = change.sequence;
        const what = [change.operation, change.primaryKey ?? change.table].join(' ');
        const context: unknown = change.context === undefined ? null : JSON.parse(change.context);
        if (change.actor === undefined) changes.push([what, context]);
        else changes.push([what, context, JSON.parse(change.actor) as unknown]);
      }
      return changes;
    },
  };
}
