import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { asTestRole, makeTestRole } from '../test/test-role.ts';
import { applyPlan } from './apply-plan.ts';
import { check } from './check.ts';
import type { Finding } from './finding.ts';
import { inspect } from './inspect.ts';
import { plan } from './plan.ts';
import type { Wanted } from './source-snapshot.ts';

const wantAll = (database: TestDatabase): Wanted => ({
  slot: `slot_${database.name}`,
  publication: 'bemi_publication',
  tables: 'all',
});

async function findings(client: pg.Client, wanted: Wanted): Promise<readonly Finding[]> {
  const { slot, publication, role } = wanted;
  return check(await inspect(client, { slot, publication, ...(role && { role }) }), wanted);
}

const bad = (all: readonly Finding[]) =>
  all.filter((finding) => finding.verdict !== 'ok').map(({ id, verdict }) => `${id}: ${verdict}`);

async function prepare(client: pg.Client, wanted: Wanted): Promise<void> {
  await applyPlan(client, plan(await inspect(client, wanted), wanted));
}

test('a source that the plan prepared has no finding', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query('CREATE TABLE t (id int)');
  await prepare(client, wantAll(database));
  const all = await findings(client, wantAll(database));
  expect(bad(all)).toEqual([]);
  expect(new Set(all.map((finding) => finding.id)).size).toBe(all.length);
  expect(all.every((finding) => finding.evidence !== '' && finding.fix === '')).toBe(true);
});

/** Each fault, made on a source that was well; the findings that name it; whose SQL must cure it. */
const faults: readonly (readonly [name: string, fault: string, expected: readonly string[]])[] = [
  ['the publication is missing', 'DROP PUBLICATION bemi_publication', ['publication: failure']],
  [
    'the publication leaves out operations',
    "ALTER PUBLICATION bemi_publication SET (publish = 'insert')",
    ['publication-operations: failure'],
  ],
  [
    'the publication is sent via the root of partitions',
    'ALTER PUBLICATION bemi_publication SET (publish_via_partition_root = true)',
    ['publication-partition-root: failure'],
  ],
  ['an old row is sent by its key', 'ALTER TABLE keyed REPLICA IDENTITY DEFAULT', ['identity-full: warning']],
  ['a table is new', 'CREATE TABLE later (id int PRIMARY KEY)', ['identity-full: warning']],
  [
    'a new table refuses UPDATE',
    'CREATE TABLE later (id int)',
    ['identity-missing: failure', 'identity-full: warning'],
  ],
  [
    'a table that must not be told of refuses UPDATE',
    'ALTER TABLE keyed REPLICA IDENTITY NOTHING',
    ['identity-missing: failure', 'identity-full: warning'],
  ],
  [
    'generated columns are not published',
    `ALTER PUBLICATION bemi_publication SET (publish_generated_columns = none);
     ALTER TABLE keyed ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED`,
    ['identity-missing: failure'],
  ],
  [
    'generated columns cannot be published',
    'ALTER TABLE keyed ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) VIRTUAL',
    ['identity-missing: failure'],
  ],
  ['the slot is missing', 'SELECT pg_drop_replication_slot($slot)', ['slot: failure']],
  [
    'the slot has another plugin',
    `SELECT pg_drop_replication_slot($slot);
     SELECT pg_create_logical_replication_slot($slot, 'test_decoding')`,
    ['slot: failure'],
  ],
  [
    'the slot is a physical one',
    'SELECT pg_drop_replication_slot($slot); SELECT pg_create_physical_replication_slot($slot)',
    ['slot: failure'],
  ],
];

test.each(faults)('%s: it is found, and its SQL cures it', async (_, fault, expected) => {
  const database = await createDatabase();
  const client = await database.connect();
  const wanted = wantAll(database);
  await client.query('CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE keyless (id int)');
  await prepare(client, wanted);
  for (const statement of fault.split(';')) {
    await client.query(statement.replaceAll('$slot', `'${wanted.slot}'`));
  }

  const found = (await findings(client, wanted)).filter((finding) => finding.verdict !== 'ok');
  expect(bad(found)).toEqual(expected);
  for (const finding of found) {
    expect(finding.sql.length).toBeGreaterThan(0);
    for (const statement of finding.sql) {
      expect(finding.fix).toContain(statement);
      await client.query(statement);
    }
  }
  expect(bad(await findings(client, wanted))).toEqual([]);
});

test('the slot is of another database', async () => {
  const [database, other] = [await createDatabase(), await createDatabase()];
  const [client, elsewhere] = [await database.connect(), await other.connect()];
  const wanted = wantAll(database);
  await elsewhere.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [wanted.slot]);
  await client.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  const found = (await findings(client, wanted)).find((finding) => finding.verdict === 'failure');
  expect(found?.evidence).toBe(`it is of ${other.name}, this is ${database.name}`);
  for (const statement of found?.sql ?? []) await client.query(statement);
  expect(bad(await findings(client, wanted))).toEqual([]);
});

test("the role has no REPLICATION: the guide's fix", async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const wanted = wantAll(database);
  await prepare(client, wanted);
  const role = await makeTestRole(database, client, 'LOGIN');

  const own = await asTestRole(database, role, (connected) => findings(connected, wanted));
  const named = await findings(client, { ...wanted, role: { name: role } });
  expect(bad(own)).toEqual(['role: failure']);
  expect(bad(named)).toEqual(['role: failure']);
  expect(own.find((finding) => finding.id === 'role')?.sql).toEqual([
    `ALTER USER "${role}" WITH REPLICATION;`,
  ]);
  await client.query(`ALTER USER "${role}" WITH REPLICATION`);
  expect(bad(await asTestRole(database, role, (connected) => findings(connected, wanted)))).toEqual([]);

  await client.query(`ALTER ROLE ${role} NOLOGIN`);
  const [noLogin] = (await findings(client, { ...wanted, role: { name: role } })).filter(
    (finding) => finding.verdict === 'failure',
  );
  expect(noLogin?.sql).toEqual([`ALTER ROLE "${role}" WITH LOGIN;`]);
  expect(bad(await findings(client, { ...wanted, role: { name: 'nobody' } }))).toEqual(['role: failure']);
});

test('what is not published', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const wanted = wantAll(database);
  await client.query(`
    CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY);
    ALTER TABLE a REPLICA IDENTITY FULL;
    CREATE PUBLICATION bemi_publication FOR TABLE a WHERE (id > 0);
    ALTER PUBLICATION bemi_publication SET (publish_generated_columns = stored);
  `);
  const all = await findings(client, wanted);
  expect(bad(all)).toEqual(['publication-filters: warning', 'publication-tables: warning', 'slot: failure']);
  expect(all.find((finding) => finding.id === 'publication-tables')?.evidence).toBe('public.b, public.c');

  const select = (...names: string[]): Wanted => ({
    ...wanted,
    tables: names.map((name) => ({ schema: 'public', name })),
  });
  const unpublished = (await findings(client, select('a', 'b'))).find(
    (finding) => finding.id === 'publication-tables',
  );
  expect(unpublished).toMatchObject({ verdict: 'failure', evidence: 'public.b' });
  for (const statement of unpublished?.sql ?? []) await client.query(statement);
  const after = await findings(client, select('a', 'b'));
  expect(after.find((finding) => finding.id === 'publication-tables')?.verdict).toBe('ok');
  const unknown = await findings(client, select('A'));
  expect(unknown.find((finding) => finding.id === 'publication-tables')?.evidence).toBe('public.A');
});
