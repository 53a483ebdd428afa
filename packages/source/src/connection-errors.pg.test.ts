import { freePort } from '@bemi-db/embedded-postgres';
import { createDatabase, databaseUrl } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import pg from 'pg';
import { expect, test } from 'vitest';
import { makeTestRole } from '../test/test-role.ts';
import type { ConnectionExplanation, ConnectionPhase } from './connection-attempt.ts';
import { explainConnectionError } from './connection-errors.ts';
import { parseConnectionString } from './connection-string.ts';

/** What is told of a failure of `statement`, or of the connection itself. */
async function explanationOf(
  url: string,
  phase: ConnectionPhase = 'connect',
  statement?: string,
): Promise<ConnectionExplanation> {
  const { config, target } = parseConnectionString(url, 'BEMI_DATABASE_URL');
  const replication = phase === 'connect-replication' || phase === 'start-replication';
  const client = new pg.Client({ ...config, ...(replication && { replication: 'database' }) });
  try {
    await client.connect();
    if (statement) await client.query(statement);
  } catch (error) {
    const attempt = { database: 'source', phase, target, slot: 'the_slot', publication: 'the_pub' } as const;
    return explainConnectionError(error, attempt);
  } finally {
    await client.end();
  }
  throw new Error('It should have failed');
}

test('refused logins', async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  const role = await makeTestRole(database, admin, 'LOGIN');
  const noLogin = await makeTestRole(database, admin, 'NOLOGIN REPLICATION');

  const wrong = await explanationOf(database.urlAs(role, 'hunter2'));
  expect(wrong).toMatchObject({ code: 'password', retry: true });
  expect(wrong.message).toContain(`${role}@127.0.0.1:`);
  expect(JSON.stringify(wrong)).not.toContain('hunter2');
  expect(await explanationOf(database.urlAs('nobody_at_all', 'secret'))).toMatchObject({ code: 'password' });
  expect(await explanationOf(database.urlAs(noLogin, 'secret'))).toMatchObject({ code: 'role', retry: true });
  expect(await explanationOf(databaseUrl(database.url, 'no_such_database'))).toMatchObject({
    code: 'no-database',
    retry: true,
  });
  expect(await explanationOf(database.urlAs(role, 'secret'), 'connect-replication')).toMatchObject({
    code: 'role',
    fix: expect.stringContaining(`ALTER USER "${role}" WITH REPLICATION;`),
    retry: true,
  });
  await admin.query(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
  expect(await explanationOf(database.urlAs(role, 'secret'))).toMatchObject({ code: 'too-many-connections' });
});

test('what a role may not do, and what is not there', async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  const role = await makeTestRole(database, admin, 'LOGIN');
  const url = database.urlAs(role, 'secret');
  const start = (slot: string) =>
    `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'the_pub')`;

  const publish = 'CREATE PUBLICATION the_pub FOR ALL TABLES';
  expect(await explanationOf(url, 'create-publication', publish)).toMatchObject({ code: 'publication' });
  const make = "SELECT pg_create_logical_replication_slot('the_slot', 'pgoutput')";
  expect(await explanationOf(url, 'create-slot', make)).toMatchObject({ code: 'role', retry: true });
  const missing = await explanationOf(database.url, 'start-replication', start('no_such_slot'));
  expect(missing).toMatchObject({ code: 'slot', retry: true });

  // A temporary slot is in use by the session that made it, as long as that lives.
  const slot = `slot_${database.name}`;
  await admin.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput', true)", [slot]);
  expect(await explanationOf(database.url, 'start-replication', start(slot))).toMatchObject({
    code: 'slot-in-use',
    retry: true,
  });
});

test('servers that do not answer as they should', async () => {
  const database = await createDatabase();
  const port = await freePort();
  const at = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };
  expect(await explanationOf(at((url) => (url.port = String(port))))).toMatchObject({
    code: 'unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
    retry: true,
  });
  expect(await explanationOf(at((url) => url.searchParams.set('host', '/no/such/socket')))).toMatchObject({
    code: 'unreachable',
    retry: true,
  });
  const noTls = await explanationOf(at((url) => url.searchParams.set('sslmode', 'require')));
  expect(noTls).toMatchObject({ code: 'tls', retry: true });
  const noPassword = await explanationOf(at((url) => (url.password = '')));
  expect(noPassword.fix).toContain('BEMI_DATABASE_URL has no password');
});

test('wal_level = replica', async () => {
  const server = await startDisposableServer();
  try {
    const make = "SELECT pg_create_logical_replication_slot('the_slot', 'pgoutput')";
    expect(await explanationOf(server.url(), 'create-slot', make)).toMatchObject({
      code: 'wal-level',
      retry: true,
      fix: expect.stringContaining("ALTER SYSTEM SET wal_level = 'logical'"),
    });
  } finally {
    await server.stop('immediate');
  }
});
