import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { asTestRole, makeTestRole } from '../test/test-role.ts';
import { inspect } from './inspect.ts';
import { mayReplicate, type SourceSnapshot, type TableSnapshot } from './source-snapshot.ts';

function tableNamed(snapshot: SourceSnapshot, name: string): TableSnapshot {
  const table = snapshot.tables.find((each) => each.name === name);
  if (!table) throw new Error(`${name} was not inspected`);
  return table;
}

test("the role of guide 004's step 2 sees everything", async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  const role = await makeTestRole(database, admin, 'LOGIN REPLICATION');
  const slot = `slot_${database.name}`;
  await admin.query('CREATE TABLE "Patient" (id text PRIMARY KEY, name text)');
  await admin.query(`GRANT USAGE ON SCHEMA public TO ${role}`);
  await admin.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
  await admin.query(`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${role}`);
  await admin.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  await admin.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');

  const snapshot = await asTestRole(database, role, (client) =>
    inspect(client, { slot, publication: 'bemi_publication', role: { name: role } }),
  );

  expect(snapshot.server).toMatchObject({
    provider: 'self-managed',
    database: database.name,
    encoding: 'UTF8',
    isInRecovery: false,
    primaryAddress: undefined,
    walLevel: 'logical',
    maxReplicationSlots: 60,
    maxWalSenders: 60,
  });
  expect(snapshot.server.version).toBeGreaterThanOrEqual(180_000);
  expect(snapshot.server.systemIdentifier).toMatch(/^\d+$/);
  expect(snapshot.server.walLsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  expect(snapshot.role).toEqual({
    name: role,
    isSuperuser: false,
    canLogin: true,
    hasReplication: true,
    providerRoles: [],
  });
  expect(mayReplicate(snapshot.role)).toBe(true);
  expect(snapshot.namedRole?.usableSchemas).toEqual(['public']);
  expect(snapshot.namedRole?.readableTables).toEqual([tableNamed(snapshot, 'Patient').oid]);
  expect(snapshot.namedRole?.defaultPrivileges).toEqual([{ owner: 'postgres', schema: 'public' }]);
  expect(snapshot.publication).toEqual({
    name: 'bemi_publication',
    isForAllTables: true,
    operations: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'],
    isViaPartitionRoot: false,
    publishesGeneratedColumns: false,
    filteredTables: [],
  });
  expect(snapshot.slot).toMatchObject({
    name: slot,
    plugin: 'pgoutput',
    database: database.name,
    isTemporary: false,
    activePid: undefined,
    walStatus: 'reserved',
    invalidationReason: undefined,
    isFailover: false,
  });
  expect(snapshot.slot?.confirmedFlushLsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  expect(snapshot.tables).toHaveLength(1);
  expect(tableNamed(snapshot, 'Patient')).toMatchObject({
    schema: 'public',
    kind: 'table',
    owner: 'postgres',
    isAlterable: false,
    persistence: 'permanent',
    identity: 'default',
    hasPrimaryKey: true,
    rowEstimate: undefined,
    isPublished: true,
    isListed: false,
  });
});

test('what does not exist is undefined', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const snapshot = await inspect(client, { slot: 'no_slot', publication: 'none', role: { name: 'no role' } });
  expect(snapshot).toMatchObject({
    publication: undefined,
    slot: undefined,
    namedRole: undefined,
    tables: [],
  });
  expect(snapshot.schemas).toEqual(['public']);
});

test('tables of every kind, in every schema, under any name', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE SCHEMA "a.b"; CREATE SCHEMA bemi; CREATE EXTENSION hstore;
    CREATE TABLE bemi.change_log (id int);
    CREATE TEMPORARY TABLE passing (id int);
    CREATE VIEW looked_at AS SELECT 1 AS one;
    CREATE TABLE "a.b"."say ""hi"" 🩺" (id int);
    CREATE UNLOGGED TABLE cache (id int PRIMARY KEY);
    CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
    CREATE TABLE indexed (id int NOT NULL UNIQUE);
    ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_id_key;
    CREATE TABLE unindexed (id int NOT NULL UNIQUE);
    ALTER TABLE unindexed REPLICA IDENTITY USING INDEX unindexed_id_key;
    ALTER TABLE unindexed DROP CONSTRAINT unindexed_id_key;
    CREATE TABLE computed (id int, twice int GENERATED ALWAYS AS (id * 2) STORED,
                           thrice int GENERATED ALWAYS AS (id * 3) VIRTUAL);
    CREATE TABLE of_extension (id int);
    ALTER EXTENSION hstore ADD TABLE of_extension;
    CREATE TABLE visit (day date, id int) PARTITION BY RANGE (day);
    CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE PUBLICATION p FOR TABLE visit, computed (id), indexed WHERE (id > 0)
      WITH (publish = 'insert, delete', publish_generated_columns = stored);
    CREATE PUBLICATION other FOR TABLE computed;
    INSERT INTO deferred SELECT generate_series(1, 1000); ANALYZE deferred;
  `);

  const snapshot = await inspect(client, { slot: 'none', publication: 'p' });

  expect(snapshot.schemas).toEqual(['a.b', 'public']);
  expect(snapshot.tables.map((table) => table.name)).toEqual([
    'say "hi" 🩺',
    ...['cache', 'computed', 'deferred', 'indexed', 'of_extension', 'unindexed', 'visit', 'visit_2026'],
  ]);
  const visit = tableNamed(snapshot, 'visit');
  expect(visit).toMatchObject({ kind: 'partitioned', parents: [], isListed: true, isPublished: false });
  expect(tableNamed(snapshot, 'visit_2026')).toMatchObject({
    kind: 'table',
    parents: [visit.oid],
    isListed: false,
    isPublished: true,
  });
  expect(tableNamed(snapshot, 'cache').persistence).toBe('unlogged');
  expect(tableNamed(snapshot, 'deferred')).toMatchObject({ hasPrimaryKey: false, rowEstimate: 1000 });
  expect(tableNamed(snapshot, 'indexed')).toMatchObject({ identity: 'index', hasIdentityIndex: true });
  expect(tableNamed(snapshot, 'unindexed')).toMatchObject({ identity: 'index', hasIdentityIndex: false });
  expect(tableNamed(snapshot, 'of_extension').extension).toBe('hstore');
  expect(tableNamed(snapshot, 'computed')).toMatchObject({
    storedGeneratedColumns: ['twice'],
    virtualGeneratedColumns: ['thrice'],
    hasColumnList: true,
    isElsewhereWithoutGenerated: true,
  });
  expect(snapshot.publication).toMatchObject({
    isForAllTables: false,
    operations: ['INSERT', 'DELETE'],
    publishesGeneratedColumns: true,
    filteredTables: [{ schema: 'public', name: 'indexed' }],
  });
});
