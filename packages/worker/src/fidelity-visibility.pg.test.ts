import { createDatabase } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { reloadSettings } from '@bemi-db/test-kit/reload';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

test('what a transaction made is described as it made it, though other sessions see its commit later', async () => {
  // A standby that never comes holds commits back where a session asks for it: in the WAL, but not visible.
  const server = await startDisposableServer({
    settings: { wal_level: 'logical', synchronous_commit: 'local' },
  });
  const audit = await createDatabase();
  const sql = await connected(server.url());
  const application = await connected(server.url());
  const stop = new AbortController();
  try {
    await sql.query(`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`);
    await reloadSettings(server.url());
    await sql.query(`CREATE TYPE pair AS (a integer);
      CREATE TABLE t (id integer PRIMARY KEY, p pair); ALTER TABLE t REPLICA IDENTITY FULL;
      CREATE PUBLICATION bemi_publication FOR TABLES IN SCHEMA public`);
    await watchRows(sql, { t: [] });
    await sql.query(`SELECT pg_create_logical_replication_slot('bemi_slot', 'pgoutput')`);
    const worker = createWorker({
      source: server.url(),
      destination: audit.url,
      stateDirectory: newStateDirectory(),
    });
    const running = worker.run({ signal: stop.signal });
    await sql.query('INSERT INTO t VALUES (1, ROW(1))');
    await expect.poll(() => worker.status().changes, { timeout: 10_000 }).toBe(1);

    const { rows } = await sql.query('SELECT clock_timestamp() AS now');
    const committed = application.query(`SET synchronous_commit = on; BEGIN;
      ALTER TYPE pair ADD ATTRIBUTE b text;
      UPDATE t SET p = ROW(2, 'b');
      CREATE TYPE mood AS ENUM ('good');
      CREATE TABLE made (m mood[], p pair, id integer PRIMARY KEY); ALTER TABLE made REPLICA IDENTITY FULL;
      CREATE TRIGGER oracle AFTER INSERT ON made FOR EACH ROW EXECUTE FUNCTION oracle.keep_row();
      INSERT INTO made VALUES ('{good}', ROW(3, 'c'), 7); COMMIT`);
    const isHeldBack = async () =>
      (await sql.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)).rowCount === 1;
    await expect.poll(isHeldBack).toBe(true);
    const isLookedUp = async () =>
      (
        await sql.query(
          `SELECT FROM pg_stat_activity WHERE application_name = 'bemi worker: catalog' AND query_start > $1`,
          [rows[0].now],
        )
      ).rowCount === 1;
    await expect.poll(isLookedUp, { timeout: 10_000 }).toBe(true);
    await expect(sql.query('SELECT FROM made')).rejects.toMatchObject({ code: '42P01' });

    await sql.query(`ALTER SYSTEM SET synchronous_standby_names = ''`);
    await sql.query('SELECT pg_reload_conf()');
    await committed;
    await expect.poll(() => worker.status().changes, { timeout: 10_000 }).toBe(3);
    stop.abort();
    await running;

    const recorded = await recordedChanges(await audit.connect());
    expect(differences(await watchedChanges(sql), recorded)).toEqual([]);
    expect(recorded.map((change) => change.primaryKey)).toEqual(['1', '1', '7']);
  } finally {
    stop.abort();
    await Promise.all([sql.end(), application.end()]);
    await server.stop('immediate');
  }
});
