import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { olderMajors, startOlderPostgres } from '@bemi-db/test-kit/older-server';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { dropRoles, setUpRoles, testTrailRoles } from '../../test/trail-roles.ts';
import { treeOfSize } from '../../test/tree-of-size.ts';
import { EntryBatch } from '../append/entry-batch.ts';
import { LogWriter } from '../append/log-writer.ts';
import { inboxAnswer, openRequests, request } from '../inbox.ts';
import { tryLockLog } from '../log-lock.ts';
import { migrate, readSchema, SchemaNotCurrentError } from '../migrate.ts';
import { extendPartitions, indexChanges } from '../partitions.ts';
import { createSource, findSource, takeOver } from '../sources.ts';
import { inspectRoles } from './inspect-roles.ts';
import { planRoles } from './plan-roles.ts';
import type { WantedTrailRoles } from './trail-roles.ts';

const source = {
  name: 'clinic',
  systemIdentifier: '7000000000000000001',
  database: 'clinic',
  slot: 'bemi_slot',
  publication: 'bemi_publication',
  timeline: 1,
  completeFromLsn: '0/100',
};

function urlAs(url: string, role: string, password: string): string {
  const other = new URL(url);
  other.username = encodeURIComponent(role);
  other.password = encodeURIComponent(password);
  return other.href;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** A role that administers a hosted server: no superuser, but it makes roles, and owns the database. */
async function managedAdmin(database: TestDatabase): Promise<string> {
  const name = `admin_${database.name}`;
  const superuser = await database.connect();
  await superuser.query(`CREATE ROLE ${name} WITH LOGIN CREATEROLE PASSWORD 'secret'`);
  await superuser.query(`ALTER DATABASE ${database.name} OWNER TO ${name}`);
  onTestFinished(async () => {
    const again = await database.connect();
    await again.query(`ALTER DATABASE ${database.name} OWNER TO ${'postgres'}`);
    await dropRoles(database.url, [name]);
  });
  return database.urlAs(name, 'secret');
}

/** Records as the worker does, with the writer's rights alone. */
async function record(url: string): Promise<void> {
  const client = await connected(url);
  expect(await migrate(client)).toEqual({ applied: [] });
  expect(await tryLockLog(client, source.name)).toBe(true);
  await createSource(client, source);
  const { log } = (await findSource(client, source.name))!;
  await extendPartitions(client, log, 0);
  const epoch = await takeOver(client, log);
  const id = await request(client, log, 'custom', { note: 'x' }, 'me');
  expect((await openRequests(client, log, '0')).map((open) => open.id)).toEqual([id]);

  const batch = new EntryBatch(log, treeOfSize(0));
  batch.relation(
    {
      oid: 1,
      schema: 'public',
      table: 'patient',
      rootSchema: 'public',
      rootTable: 'patient',
      document: '{}',
    },
    0n,
  );
  const transaction = batch.nextSequence;
  batch.context(transaction, 0, Buffer.from('{"userId":"u"}'), 'unsigned');
  const row = batch.beginChange(transaction, 0, 0, 0x110n, 'INSERT', 'none');
  row.text('1');
  row.null();
  row.text('{"id":1}');
  batch.endChange();
  batch.commit({
    sequence: 0,
    transaction,
    generation: 1,
    commitLsn: 0x120n,
    endLsn: 0x130n,
    coveredFromLsn: 0x100n,
    xid: 7n,
    committedAt: 800_000_000_123_456n,
    recordedAt: 800_000_000_200_000n,
    changeCount: 1,
    contextCount: 1,
    hasActor: false,
  });
  batch.complete();
  const unit = batch.takeComplete({ lastFinalLsn: '0/120', confirmedLsn: '0/130', timeline: 1 });
  const quarantine = [{ sequence: 2, field: 'row' as const, reason: 'x', bytes: Buffer.from('x') }];
  await new LogWriter({ client, log, epoch }).append({ ...unit, quarantine, answers: [{ id, sequence: 0 }] });
  expect(await inboxAnswer(client, id)).toBe('0');
  expect(await indexChanges(client, log, 100)).toBe(true);
  await extendPartitions(client, log, 3_000_000);
  await client.query('LISTEN bemi_inbox');
}

/** What neither the writer nor the reader may do, whatever their settings are. */
async function expectNoWriting(client: pg.Client, inserts: boolean): Promise<void> {
  await client.query('SET default_transaction_read_only = off');
  const { rows } = await client.query<{ name: string; kind: string; isPartition: boolean }>(
    `SELECT oid::regclass::text AS name, relkind AS kind, relispartition AS "isPartition" FROM pg_class
      WHERE relnamespace = 'bemi'::regnamespace AND relkind IN ('r', 'p', 'v')`,
  );
  expect(rows.length).toBeGreaterThan(30);
  const denied = { code: '42501' };
  for (const { name, kind, isPartition } of rows) {
    const isSecret = ['bemi.context_secrets', 'bemi.source_secrets'].includes(name) && !inserts;
    if (isSecret) await expect(client.query(`SELECT FROM ${name}`), name).rejects.toMatchObject(denied);
    else if (!isPartition) await client.query(`SELECT FROM ${name}`);
    if (kind === 'v') continue; // it joins tables: nobody can write through it
    const statements = [
      `DELETE FROM ${name}`,
      `TRUNCATE ${name} CASCADE`,
      `ALTER TABLE ${name} DISABLE TRIGGER ALL`,
      `DROP TABLE ${name}`,
    ];
    if (/_log|quarantine|tiles|checkpoints|frontier|logs|(?<!added_)sources/.test(name)) {
      statements.push(`UPDATE ${name} SET log = log`);
    }
    if (!inserts || isPartition)
      statements.push(`INSERT INTO ${name} OVERRIDING SYSTEM VALUE SELECT * FROM ${name} LIMIT 0`);
    for (const statement of statements) {
      await expect(client.query(statement), statement).rejects.toMatchObject(denied);
    }
  }
  for (const statement of [
    'CREATE TABLE bemi.mine ()',
    'DROP SCHEMA bemi CASCADE',
    'UPDATE bemi.inbox SET sequence = 1',
    'CREATE OR REPLACE VIEW bemi.changes AS SELECT 1',
    `INSERT INTO bemi.checkpoints (log, size, checkpoint) VALUES (0, 1, 'x')`,
    `INSERT INTO bemi.migrations (number, name) VALUES (99, 'x')`,
    'SET session_replication_role = replica',
  ]) {
    await expect(client.query(statement), statement).rejects.toMatchObject(denied);
  }
}

async function expectRoles(url: string, wanted: WantedTrailRoles): Promise<void> {
  await record(urlAs(url, wanted.writer, wanted.writerPassword));
  await expectNoWriting(await connected(urlAs(url, wanted.writer, wanted.writerPassword)), true);
  const reader = await connected(urlAs(url, wanted.reader, wanted.readerPassword));
  const { rows } = await reader.query('SELECT primary_key, context FROM bemi.changes');
  expect(rows).toEqual([{ primary_key: '1', context: { userId: 'u' } }]);
  expect((await reader.query('SHOW default_transaction_read_only')).rows).toEqual([
    { default_transaction_read_only: 'on' },
  ]);
  expect((await reader.query('SELECT bemi.indexed_changes(0)')).rows).toEqual([{ indexed_changes: '0' }]);
  await expectNoWriting(reader, false);
  await expect(reader.query('SELECT bemi.take_over(0)')).rejects.toMatchObject({ code: '42501' });
  await expect(reader.query(`SELECT bemi.advance(0, 0, '0/0', '0/0', 1)`)).rejects.toMatchObject({
    code: '42501',
  });
  await expect(
    reader.query(`INSERT INTO bemi.inbox (log, kind, payload) VALUES (0, 'x', '{}')`),
  ).rejects.toMatchObject({ code: '42501' });
}

test('an empty database gets roles, schema and grants; a second run finds nothing missing', async () => {
  const database = await createDatabase();
  const wanted = testTrailRoles(database);
  const steps = await setUpRoles(database.url, wanted);
  expect(steps).toEqual([
    ...['owner create', 'writer create', 'reader create', 'reader read-only'],
    ...['accounts create', 'accounts schema', 'schema create'],
    ...steps.filter((id) => id.startsWith('schema 00')),
    ...['public view', 'grants'],
  ]);
  await expectRoles(database.url, wanted);
  expect(await setUpRoles(database.url, wanted)).toEqual([]);
  const sql = await database.connect();
  const { rows } = await sql.query(
    `SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'bemi'::regnamespace AND relkind IN ('r', 'p', 'v')
     UNION SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'bemi'::regnamespace
     UNION SELECT viewowner FROM (SELECT format('%I', viewowner) AS viewowner FROM pg_views WHERE schemaname = 'public' AND viewname = 'changes') v`,
  );
  expect(rows).toEqual([{ owner: pg.escapeIdentifier(wanted.owner) }]);
  const reader = await connected(urlAs(database.url, wanted.reader, 'reads'));
  expect((await reader.query('SELECT FROM changes')).rowCount).toBe(1);
  await expect(reader.query(`COMMENT ON VIEW bemi.changes IS 'x'`)).rejects.toThrow();
});

test('concurrent runs wait for each other', async () => {
  const database = await createDatabase();
  const wanted = testTrailRoles(database);
  const runs = await Promise.all([1, 2, 3].map(() => setUpRoles(database.url, wanted)));
  expect(runs.filter((steps) => steps.length > 0)).toHaveLength(1);
});

test('what a superuser owned, with entries and a view in public, goes to the owner; grants of old are taken back', async () => {
  const database = await createDatabase();
  const sql = await database.connect();
  await migrate(sql);
  await createSource(sql, { ...source, name: 'older' });
  await extendPartitions(sql, 0, 0);
  const wanted = testTrailRoles(database);
  await sql.query(`CREATE ROLE ${wanted.writer} WITH LOGIN PASSWORD 'writes'; GRANT ALL ON ALL TABLES IN SCHEMA bemi TO ${wanted.writer};
    GRANT UPDATE (after) ON bemi.change_log TO PUBLIC; GRANT EXECUTE ON FUNCTION bemi.take_over TO PUBLIC`);
  expect(await setUpRoles(database.url, wanted)).toEqual([
    ...[
      'owner create',
      'reader create',
      'reader read-only',
      'accounts create',
      'accounts schema',
      'ownership',
      'grants',
    ],
  ]);
  expect(await setUpRoles(database.url, wanted)).toEqual([]);
  await sql.query(`UPDATE bemi.logs SET name = 'clinic'`);
  await expectRoles(database.url, wanted);
  // As the lead migrates it later: what is new belongs to the owner, and setup grants it.
  await sql.query(
    `REVOKE INSERT ON bemi.tiles FROM ${wanted.writer}; GRANT DELETE ON bemi.tiles TO ${wanted.writer}`,
  );
  expect(await setUpRoles(database.url, wanted)).toEqual(['grants']);
  expect(await setUpRoles(database.url, wanted)).toEqual([]);
});

test('an administrator who is no superuser does it, on an empty database and on one of its own', async () => {
  for (const isOwn of [false, true]) {
    const database = await createDatabase();
    const url = await managedAdmin(database);
    if (isOwn) {
      const admin = await connected(url);
      await migrate(admin);
      await createSource(admin, { ...source });
      await extendPartitions(admin, 0, 0);
    }
    const wanted = testTrailRoles(database);
    const steps = await setUpRoles(url, wanted);
    expect(steps).toContain('owner membership');
    expect(steps.includes('ownership')).toBe(isOwn);
    expect(await setUpRoles(url, wanted)).toEqual([]);
    await expectRoles(database.url, wanted);
    // The administrator may still migrate: as the owner.
    const admin = await connected(url);
    expect(await migrate(admin)).toEqual({ applied: [] });
  }
});

test.each(olderMajors.filter((major) => major === 13 || major === 15))('on PostgreSQL %i', async (major) => {
  const server = await startOlderPostgres(major);
  onTestFinished(() => server.stop('immediate'));
  const wanted = testTrailRoles({ url: server.url() });
  await setUpRoles(server.url(), wanted);
  expect(await setUpRoles(server.url(), wanted)).toEqual([]);
  await expectRoles(server.url(), wanted);
  const sql = await connected(server.url());
  for (const table of ['change_log', 'change_log_0', 'change_log_0_0', 'event_log_0_4000000', 'quarantine']) {
    for (const statement of ['UPDATE bemi.% SET log = 0', 'DELETE FROM bemi.%', 'TRUNCATE bemi.%']) {
      await expect(sql.query(statement.replace('%', table)), table).rejects.toMatchObject({ code: 'BM004' });
    }
  }
  await sql.query(`BEGIN; SET LOCAL bemi.permit = 'erasure';
    UPDATE bemi.change_log SET primary_key = NULL, before = NULL, after = NULL, salt = NULL, commitment = '\\x01'; COMMIT`);

  // Up to PostgreSQL 15, whoever may make roles may also make itself a member of any.
  await sql.query(`CREATE ROLE hosted WITH LOGIN CREATEROLE PASSWORD 'secret'`);
  await sql.query('CREATE DATABASE hosted OWNER hosted');
  const others = testTrailRoles({ url: server.url('hosted') });
  const admin = urlAs(server.url('hosted'), 'hosted', 'secret');
  expect(await setUpRoles(admin, others)).toContain('owner membership');
  expect(await setUpRoles(admin, others)).toEqual([]);
  await expectRoles(server.url('hosted'), others);
});

test('what does not work is said before anything is changed', async () => {
  const database = await createDatabase();
  const sql = await database.connect();
  const wanted = testTrailRoles(database);
  const planned = async (changed: Partial<WantedTrailRoles> = {}, client = sql) => {
    const roles = { ...wanted, ...changed };
    return planRoles(await inspectRoles(client, roles), roles);
  };
  await expect(planned({ reader: wanted.writer })).rejects.toMatchObject({ code: 'same-role' });
  await expect(planned({ reader: 'pg_monitor' })).rejects.toMatchObject({ code: 'role-name' });
  await expect(planned({ writer: 'postgres' })).rejects.toMatchObject({ code: 'role-superuser' });

  await setUpRoles(database.url, wanted);
  const owner = pg.escapeIdentifier(wanted.owner);
  await sql.query(`GRANT ${owner} TO ${wanted.writer}`);
  await expect(planned()).rejects.toMatchObject({
    code: 'role-owner',
    fix: expect.stringContaining('REVOKE'),
  });
  await sql.query(`REVOKE ${owner} FROM ${wanted.writer}`);

  // Roles that don't exist, asked for by one who may not make any; and what belongs to somebody else.
  const writer = await connected(urlAs(database.url, wanted.writer, 'writes'));
  await expect(planned({ owner: 'another' }, writer)).rejects.toMatchObject({ code: 'no-createrole' });
  await sql.query(`ALTER TABLE bemi.tiles OWNER TO postgres; ALTER ROLE ${wanted.writer} CREATEROLE`);
  await expect(planned({}, writer)).rejects.toMatchObject({
    code: 'not-owner',
    message: expect.stringContaining('bemi.tiles'),
  });
});

test('a role for which somebody else made the schema migrates it, and goes on to', async () => {
  const database = await createDatabase();
  const { writer: single } = testTrailRoles(database);
  const sql = await database.connect();
  await sql.query(
    `CREATE ROLE ${single} WITH LOGIN PASSWORD 'x'; CREATE SCHEMA bemi; GRANT ALL ON SCHEMA bemi TO ${single}`,
  );
  const client = await connected(urlAs(database.url, single, 'x'));
  const { applied } = await migrate(client);
  expect(applied[0]).toBe('0001_log.sql');
  expect(await readSchema(client)).toEqual({ owner: single, mayMigrate: true, pending: [] });
  // A superuser who migrates later does it as that role.
  expect(await readSchema(sql)).toEqual({ owner: single, mayMigrate: true, pending: [] });
});

test('a schema that is missing or old is migrated by its owner alone', async () => {
  const database = await createDatabase();
  const wanted = testTrailRoles(database);
  const sql = await database.connect();
  await sql.query(`CREATE ROLE ${wanted.writer} WITH LOGIN PASSWORD 'writes'`);
  const writer = await connected(urlAs(database.url, wanted.writer, 'writes'));
  await expect(migrate(writer)).rejects.toThrow(SchemaNotCurrentError);
  await setUpRoles(database.url, wanted);
  expect(await migrate(writer)).toEqual({ applied: [] });
  await sql.query('DELETE FROM bemi.migrations WHERE number = (SELECT max(number) FROM bemi.migrations)');
  await expect(migrate(writer)).rejects.toThrow(SchemaNotCurrentError);
  await sql.query('REVOKE USAGE ON SCHEMA bemi FROM PUBLIC');
  await sql.query(`REVOKE USAGE ON SCHEMA bemi FROM ${wanted.writer}`);
  await expect(migrate(writer)).rejects.toThrow(SchemaNotCurrentError);
});
