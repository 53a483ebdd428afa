import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { searchChanges } from '@bemi-db/trail/query/search-changes';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

test('a context that stands behind its changes, and behind their blocks of the index, finds all of them', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE visit (id int PRIMARY KEY)'),
  );
  const drain = () => createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  await sql.query(
    `BEGIN; INSERT INTO visit SELECT generate_series(1, 2500);
     SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"late"}'); COMMIT;
     INSERT INTO visit SELECT generate_series(3001, 5000)`,
  );
  await drain();
  // Again, block by block: the first ones are put into the index without looking at what comes behind them.
  await trail.query('TRUNCATE bemi.change_index, bemi.change_blocks');
  for (let indexed = 1; indexed > 0; ) {
    const { rows } = await trail.query<{ indexed: number }>('SELECT bemi.index_changes(0, 1) AS indexed');
    indexed = rows[0]!.indexed;
  }
  const filter = { context: [{ key: 'userId', value: 'late' }] };
  const found = await searchChanges(trail, { log: 0, filter, limit: 5_000, budgetMs: 10_000 });
  expect(found).toMatchObject({ end: 'reached' });
  expect(found.changes).toHaveLength(2_500);
  const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
  expect(report.findings).toEqual([]);
});
