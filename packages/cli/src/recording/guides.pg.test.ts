import type { PostgresServer } from '@bemi-db/embedded-postgres';
import { countChanges, verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { olderMajors, startOlderPostgres } from '@bemi-db/test-kit/older-server';
import { typeSql } from '@bemi-db/test-kit/type-sql';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { guide000 } from '../../../worker/test/guides/guide-000.ts';
import { guide004 } from '../../../worker/test/guides/guide-004.ts';
import { sqlBlocks, typed } from '../../../worker/test/guides/guide-blocks.ts';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

const application = `
CREATE TABLE "Patient" (id text PRIMARY KEY, "firstName" text);
CREATE TABLE "Prescription" (id serial PRIMARY KEY, "patientId" text REFERENCES "Patient", drug text);
CREATE TABLE "Note" (text text);
`;
const writes = `
INSERT INTO "Patient" VALUES ('p1', 'Test'), ('p2', 'Other');
UPDATE "Patient" SET "firstName" = 'Updated' WHERE id = 'p1';
INSERT INTO "Prescription" ("patientId", drug) SELECT 'p2', 'drug ' || n FROM generate_series(1, 100) n;
INSERT INTO "Note" VALUES ('a'), ('b');
UPDATE "Note" SET text = 'c' WHERE text = 'a';
DELETE FROM "Prescription" WHERE id <= 10;
DELETE FROM "Patient" WHERE id = 'p1';
TRUNCATE "Note";
`;
const expected = {
  'public.Note INSERT': 2,
  'public.Note TRUNCATE': 1,
  'public.Note UPDATE': 1,
  'public.Patient DELETE': 1,
  'public.Patient INSERT': 2,
  'public.Patient UPDATE': 1,
  'public.Prescription DELETE': 10,
  'public.Prescription INSERT': 100,
};

/** A plain PostgreSQL 15 as guide 004's step 1 configures it, with the application's database and an audit database. */
async function startGuideServer(): Promise<PostgresServer> {
  const server = await startOlderPostgres(15, { settings: guide004.settings });
  onTestFinished(() => server.stop('immediate'));
  await typeSql(server.url(), 'CREATE DATABASE holi_protocol;\nCREATE DATABASE bemi_audit;');
  await typeSql(server.url('holi_protocol'), application);
  return server;
}

async function expectRecorded(
  server: PostgresServer,
  environment: Record<string, string>,
  folder = projectFolder(),
): Promise<void> {
  const run = await runBemi(
    ['worker', '--drain'],
    { BEMI_DESTINATION_URL: server.url('bemi_audit'), ...environment },
    folder,
  );
  expect(run, run.stderr).toMatchObject({ code: 0 });
  const audit = new pg.Client(server.url('bemi_audit'));
  await audit.connect();
  try {
    expect(await countChanges(audit)).toEqual(expected);
    await verifyLogStructure(audit);
  } finally {
    await audit.end();
  }
}

test('every SQL block of the guides is typed here', () => {
  expect(sqlBlocks('000')).toHaveLength(4); // guide000 names each
  const texts: readonly unknown[] = Object.values(guide004);
  expect(sqlBlocks('004').filter((block) => !texts.includes(typed(block)))).toEqual([]);
});

/** What a query of the guide shows, as a superuser. */
async function shown(server: PostgresServer, text: string, prelude = ''): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(server.url('holi_protocol'));
  await client.connect();
  try {
    if (prelude !== '') await client.query(prelude);
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

// A setting of RDS's own: elsewhere PostgreSQL knows it as a custom one, which its view leaves out.
const rdsSetting = `
  SET "rds.logical_replication" = 'on'; CREATE SCHEMA rds;
  CREATE VIEW rds.pg_settings AS SELECT name, setting FROM pg_catalog.pg_settings
    UNION ALL SELECT 'rds.logical_replication', current_setting('rds.logical_replication');
  SET search_path = rds, pg_catalog, public`;

test("guide 004's SQL typed as it stands, its cures for troubles that were made, and only then the worker", async () => {
  const server = await startGuideServer();
  const type = (text: string) => typeSql(server.url('holi_protocol'), text);
  await type('CREATE TABLE "User" (id text PRIMARY KEY)');
  expect(await shown(server, guide004.verifyRds, rdsSetting)).toEqual([
    { name: 'rds.logical_replication', setting: 'on' },
  ]);
  await type(guide004.step2);
  expect(await shown(server, guide004.verifyStep2.split(';')[0]!)).toMatchObject([
    { slot_name: 'bemi_slot' },
  ]);
  expect(await shown(server, guide004.verifyStep2.split(';')[1]!)).toMatchObject([{ puballtables: true }]);
  await type(guide004.step4);
  await type(guide004.step4PerTable);
  const identities = await shown(server, guide004.verifyStep4);
  expect(identities.map(({ tablename, relreplident }) => `${tablename} ${relreplident}`).sort()).toEqual([
    ...['Note f', 'Patient f', 'Prescription f', 'User f'],
  ]);

  await type(`SELECT pg_drop_replication_slot('bemi_slot')`);
  await type(guide004.issue1);
  await type('ALTER USER bemi_replication WITH NOREPLICATION');
  await type(guide004.issue2);
  await type('DROP PUBLICATION bemi_publication');
  await type(guide004.issue3);
  await type(guide004.issue5);
  await type('GRANT INSERT, DELETE ON "Patient" TO bemi_replication');
  await type(guide004.leastPrivilege);
  await type(guide004.rotation);

  await type(writes);
  await expectRecorded(server, {
    BEMI_DATABASE_URL: `postgres://bemi_replication:new_secure_password_here@127.0.0.1:${server.port}/holi_protocol?replication=database`,
    BEMI_REPLICATION_SLOT: 'bemi_slot',
    BEMI_PUBLICATION: 'bemi_publication',
    BEMI_LOG_LEVEL: 'info',
  });
  expect(await shown(server, guide004.lag)).toMatchObject([
    { active: false, replication_lag: expect.anything() },
  ]);
  expect(await shown(server, guide004.walGrowth)).toMatchObject([{ slot_name: 'bemi_slot' }]);
  const mayWrite = `SELECT has_table_privilege('bemi_replication', '"Patient"', 'INSERT, UPDATE, DELETE') AS may`;
  expect(await shown(server, mayWrite)).toEqual([{ may: false }]);
});

/** The worker as guide 000's role, which makes its slot at its first start. */
async function startAsReader(
  server: PostgresServer,
): Promise<{ environment: Record<string, string>; folder: string }> {
  // On RDS membership of rds_replication is enough; elsewhere only the attribute counts.
  await typeSql(server.url('holi_protocol'), 'ALTER ROLE bemi_reader REPLICATION;');
  const environment = {
    BEMI_DATABASE_URL: `postgres://bemi_reader:password@127.0.0.1:${server.port}/holi_protocol`,
    BEMI_PUBLICATION: 'bemi',
  };
  const folder = projectFolder();
  const first = await runBemi(
    ['worker', '--drain'],
    { BEMI_DESTINATION_URL: server.url('bemi_audit'), ...environment },
    folder,
  );
  expect(first, first.stderr).toMatchObject({ code: 0 });
  expect(first.stdout + first.stderr).toContain('Make the replication slot bemi_slot');
  return { environment, folder };
}

test("guide 000's read-only credentials, with its publication and no slot: the worker makes the slot", async () => {
  const server = await startGuideServer();
  await typeSql(server.url('holi_protocol'), guide000.standIn);
  await typeSql(server.url('holi_protocol'), guide000.readOnlyCredentials);
  const { environment, folder } = await startAsReader(server);
  await typeSql(server.url('holi_protocol'), writes);
  await expectRecorded(server, environment, folder);
});

test("guide 000's role for selected tables, which reads none; a table is added, and dropped again", async () => {
  const server = await startGuideServer();
  await typeSql(server.url('holi_protocol'), guide000.standIn);
  await typeSql(server.url('holi_protocol'), guide000.manualCredentials);
  const { environment, folder } = await startAsReader(server);
  await typeSql(server.url('holi_protocol'), `INSERT INTO "Note" VALUES ('before it is added');`);
  await typeSql(server.url('holi_protocol'), guide000.addTable);
  await typeSql(server.url('holi_protocol'), writes);
  await typeSql(server.url('holi_protocol'), guide000.dropTable);
  await typeSql(
    server.url('holi_protocol'),
    `INSERT INTO "Note" VALUES ('after it was dropped'); UPDATE "Note" SET text = 'x';`,
  );
  await expectRecorded(server, environment, folder);
});

const majorsWithoutContext = olderMajors.filter((major) => major < 14);

test.each(majorsWithoutContext)(
  'PostgreSQL %i has no logical messages in its stream: changes are recorded, and context is off',
  async (major) => {
    const server = await startOlderPostgres(major, { settings: guide004.settings });
    onTestFinished(() => server.stop('immediate'));
    await typeSql(server.url(), 'CREATE DATABASE holi_protocol;\nCREATE DATABASE bemi_audit;');
    await typeSql(server.url('holi_protocol'), application);
    await typeSql(server.url('holi_protocol'), guide004.step2);
    await typeSql(server.url('holi_protocol'), guide004.step4);
    await typeSql(
      server.url('holi_protocol'),
      `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"u"}'); ${writes} COMMIT;`,
    );
    const environment = { BEMI_DATABASE_URL: server.url('holi_protocol') };
    await expectRecorded(server, environment);
    const status = await runBemi(['status'], {
      BEMI_DESTINATION_URL: server.url('bemi_audit'),
      ...environment,
    });
    expect(status.stdout).toMatch(/context.*off/i);
  },
);
