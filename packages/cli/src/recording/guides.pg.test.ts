import type { PostgresServer } from '@bemi-db/embedded-postgres';
import { countChanges, verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { olderMajors, startOlderPostgres } from '@bemi-db/test-kit/older-server';
import { typeSql } from '@bemi-db/test-kit/type-sql';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { guide000 } from '../../../worker/test/guides/guide-000.ts';
import { guide004 } from '../../../worker/test/guides/guide-004.ts';
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

test("guide 004's steps typed as they stand, then writes, and only then the worker: every write is recorded", async () => {
  const server = await startGuideServer();
  await typeSql(server.url('holi_protocol'), guide004.step2);
  await typeSql(server.url('holi_protocol'), guide004.step4);
  await typeSql(server.url('holi_protocol'), writes);
  await expectRecorded(server, {
    BEMI_DATABASE_URL: `postgres://bemi_replication:secure_random_password_here@127.0.0.1:${server.port}/holi_protocol?replication=database`,
    BEMI_REPLICATION_SLOT: 'bemi_slot',
    BEMI_PUBLICATION: 'bemi_publication',
    BEMI_LOG_LEVEL: 'info',
  });
});

test("guide 000's read-only credentials, with its publication and no slot: the worker makes the slot", async () => {
  const server = await startGuideServer();
  await typeSql(server.url('holi_protocol'), guide000.standIn);
  await typeSql(server.url('holi_protocol'), guide000.readOnlyCredentials);
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
  await typeSql(server.url('holi_protocol'), writes);
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
