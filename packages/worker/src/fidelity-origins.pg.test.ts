import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { recordedChanges } from '@bemi-db/test-kit/to-jsonb-oracle';
import { expect, onTestFinished, test } from 'vitest';
import { createWorker } from './create-worker.ts';

test('changes that a subscription brings from another server, and sessions that play the replica, are recorded', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE t (id integer PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY FULL'),
  );
  const origin = `${source.name}_origin`;
  await sql.query('SELECT pg_replication_origin_create($1)', [origin]);
  onTestFinished(async () => {
    const client = await source.connect();
    await client.query('SELECT pg_replication_origin_drop($1)', [origin]);
  });
  await sql.query('INSERT INTO t VALUES (1)');
  await sql.query('SELECT pg_replication_origin_session_setup($1)', [origin]);
  await sql.query(`BEGIN; SELECT pg_replication_origin_xact_setup('0/AAAAAA', '2020-01-01 00:00:00+00');
                   INSERT INTO t VALUES (2); UPDATE t SET id = 3 WHERE id = 2; COMMIT`);
  await sql.query('SELECT pg_replication_origin_session_reset()');
  await sql.query(`SET session_replication_role = replica; DELETE FROM t WHERE id = 1`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const changes = await recordedChanges(trail);
  expect(changes.map(({ operation, primaryKey }) => [operation, primaryKey])).toEqual([
    ['INSERT', '1'],
    ['INSERT', '2'],
    ['UPDATE', '3'],
    ['DELETE', '1'],
  ]);
  // The stream gives the time of the commit where it was first made.
  const { rows } = await trail.query(
    `SELECT id FROM bemi.changes WHERE committed_at = '2020-01-01 00:00:00+00' ORDER BY id`,
  );
  expect(rows).toHaveLength(2);
});
