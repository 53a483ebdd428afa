import type { PostgresServer } from '@bemi-db/embedded-postgres';
import { createDatabase, databaseUrl } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runBemi, startBemi } from '../test/run-bemi.ts';

// What the worker's log says while it waits for a cure, and what a command that doesn't wait says.
async function refused(environment: Record<string, string>) {
  const worker = startBemi(['worker', '--port', '0'], environment);
  const printed = await worker.untilPrinted('"fix"');
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);
  const logged = printed
    .split('\n')
    .filter((line) => line.includes('"code"'))
    .map((line) => JSON.parse(line))[0] as { code: string; msg: string; fix: string };
  const status = await runBemi(['status'], environment);
  expect(status.code).toBe(1);
  return { ...logged, said: `${status.stdout}${status.stderr}` };
}

test('a wrong password', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const environment = {
    BEMI_DATABASE_URL: source.urlAs('postgres', 'hunter2'),
    BEMI_DESTINATION_URL: audit.url,
  };
  const { code, msg, fix, said } = await refused(environment);
  expect({ code, msg }).toEqual({
    code: 'password',
    msg: expect.stringContaining('The source database refused role postgres or its password'),
  });
  expect(fix).toMatch(/BEMI_DATABASE_URL.*ALTER USER "postgres" WITH PASSWORD/s);
  expect(said).toContain(msg);
  expect(`${msg}${fix}${said}`).not.toContain('hunter2');
});

test('no such database, on either side', async () => {
  const database = await createDatabase();
  const missing = databaseUrl(database.url, 'nowhere');
  const source = await refused({ BEMI_DATABASE_URL: missing, BEMI_DESTINATION_URL: database.url });
  expect(source).toMatchObject({
    code: 'no-database',
    msg: expect.stringContaining('no database nowhere'),
    fix: expect.stringContaining('CREATE DATABASE "nowhere";'),
  });
  const audit = await refused({ BEMI_DATABASE_URL: database.url, BEMI_DESTINATION_URL: missing });
  expect(audit.msg).toContain('The audit server has no database nowhere');
  expect(audit.fix).toContain('BEMI_DESTINATION_URL');
});

test('an unreachable host', async () => {
  const audit = await createDatabase();
  const environment = {
    BEMI_DATABASE_URL: 'postgres://postgres:x@127.0.0.1:1/app',
    BEMI_DESTINATION_URL: audit.url,
  };
  expect(await refused(environment)).toMatchObject({
    code: 'unreachable',
    msg: expect.stringContaining('nothing listens on that port (postgres@127.0.0.1:1/app, ECONNREFUSED)'),
    fix: expect.stringContaining('Check host and port in BEMI_DATABASE_URL'),
  });
});

test('no publication, where there is a slot', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const slot = `slot_${source.name}`;
  await (await source.connect()).query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: slot,
  };
  expect(await refused(environment)).toMatchObject({
    code: 'publication',
    msg: expect.stringContaining('The publication bemi_publication does not exist'),
    fix: expect.stringContaining('CREATE PUBLICATION "bemi_publication"'),
    said: expect.stringMatching(/Publication +missing/),
  });
});

test('no slot, where the log has begun', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const slot = `slot_${source.name}`;
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: slot,
  };
  // Where nothing is recorded yet the worker makes both, and says so.
  const first = await runBemi(['worker', '--drain'], environment);
  expect(first).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`Make the replication slot ${slot}`),
  });
  await (await source.connect()).query('SELECT pg_drop_replication_slot($1)', [slot]);
  const second = await runBemi(['worker'], { ...environment, BEMI_PORT: '0' });
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    new RegExp(`replication slot ${slot} does not exist.*slot-missing.*fix`, 's'),
  );
  const status = await runBemi(['status'], environment);
  expect(status).toMatchObject({ code: 1, stdout: expect.stringMatching(/Slot +missing/) });
});

let plain: PostgresServer;
beforeAll(async () => {
  plain = await startDisposableServer(); // wal_level = replica
});
afterAll(() => plain.stop('immediate'));

test('wal_level = replica', async () => {
  const audit = await createDatabase();
  const words = [
    "ALTER SYSTEM SET wal_level = 'logical';",
    'Docker compose',
    'brew services restart',
    'AWS RDS',
  ];
  const { code, fix, said } = await refused({
    BEMI_DATABASE_URL: plain.url(),
    BEMI_DESTINATION_URL: audit.url,
  });
  expect(code).toBe('wal-level');
  const setup = await runBemi(['setup', '--admin-url', plain.url(), '--yes']);
  expect(setup).toMatchObject({ code: 1, stdout: '' });
  const dry = await runBemi(['setup', '--admin-url', plain.url(), '--dry-run']);
  expect(dry).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/\nCREATE PUBLICATION .*\nSELECT .*\n$/),
  });
  for (const word of words) {
    for (const text of [fix, said, setup.stderr, dry.stderr]) expect(text).toContain(word);
  }
  const client = new pg.Client(plain.url());
  await client.connect();
  expect((await client.query('SELECT FROM pg_publication')).rowCount).toBe(0);
  await client.end();
});

test('all replication slots are in use', async () => {
  const audit = await createDatabase();
  await plain.restart('immediate', { wal_level: 'logical', max_replication_slots: '1' });
  const client = new pg.Client(plain.url());
  await client.connect();
  await client.query(`SELECT pg_create_physical_replication_slot('of_a_standby')`);
  await client.end();
  const { code, msg, fix, said } = await refused({
    BEMI_DATABASE_URL: plain.url(),
    BEMI_DESTINATION_URL: audit.url,
  });
  expect(code).toBe('free-slots');
  expect(msg).toContain('No replication slot is free');
  expect(fix).toMatch(/Drop one that nobody needs.*ALTER SYSTEM SET max_replication_slots = '4';/s);
  expect(said).toContain('max_replication_slots');
});
