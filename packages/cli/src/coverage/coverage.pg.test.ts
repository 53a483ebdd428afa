import { applyPlan } from '@bemi-db/source/apply-plan';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { planDdl } from '@bemi-db/source/ddl/plan-ddl';
import { createDatabase } from '@bemi-db/test-kit/database';
import { createWorker } from '@bemi-db/worker';
import { expect, test } from 'vitest';
import { runBemi } from '../../test/run-bemi.ts';

test('bemi coverage says what is recorded, what is not, and why', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const client = await source.connect();
  const slot = `slot_${source.name}`;
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: slot,
  };
  await applyPlan(client, planDdl(await inspectDdl(client)));
  await client.query(
    `CREATE TABLE patient (id int PRIMARY KEY, name text, ssn text); CREATE TABLE secret (id int); CREATE UNLOGGED TABLE cache (id int)`,
  );
  const rules = {
    rules: { include: [], exclude: ['secret'], ignore: [], redact: { 'patient.ssn': 'mask' } },
    file: 'bemi.config.yaml',
  } as const;
  const record = (given = {}) =>
    createWorker({ source: source.url, destination: audit.url, slot, ...given }).run({ drain: true });
  await record();
  const before = await runBemi(['coverage'], environment);
  expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining('no-coverage') });

  await record({ coverageIntervalMs: 1e9, rules });
  const people = await runBemi(['coverage', '--strict'], environment);
  expect(people.code).toBe(1);
  expect(people.stdout.split('\n')).toEqual([
    `Coverage of ${source.name}`,
    '  Tables       3: 0 recorded whole, 3 not',
    '  Publication  bemi_publication, for all tables, also those made later',
    '  DDL          recorded, by 4 event triggers',
    expect.stringMatching(/^ {2}Rules {8}those of entry \d+$/),
    expect.stringMatching(/^ {2}So since {5}.* \(entry \d+\), last said /),
    '',
    'Not recorded whole',
    '  public.cache    UNLOGGED: nothing is recorded',
    '  public.patient  redacted: ssn (mask)',
    '  public.secret   excluded by rules: nothing is recorded',
    '',
  ]);

  await client.query('DROP TABLE cache, secret');
  await record({
    coverageIntervalMs: 1e9,
    rules: { ...rules, rules: { ...rules.rules, exclude: [], redact: {} } },
  });
  const [all, programs] = await Promise.all([
    runBemi(['coverage', '--strict', '--all'], environment),
    runBemi(['coverage', '--json'], environment),
  ]);
  expect(all).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/1: all recorded whole.*public\.patient {2}whole/s),
  });
  expect(JSON.parse(programs.stdout)).toMatchObject({
    ...{ source: source.name, ddlRecorded: true, whole: 1, rules: expect.any(Number) },
    publication: {
      name: 'bemi_publication',
      allTables: true,
      operations: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'],
    },
    tables: [{ name: 'patient', persistence: 'permanent', identity: 'full', columns: 3, missing: [] }],
  });

  await client.query('ALTER EVENT TRIGGER bemi_ddl_drop DISABLE');
  await record({ coverageIntervalMs: 1e9 });
  const disabled = await runBemi(['coverage', '--strict'], environment);
  expect(disabled).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('may not be recorded: bemi_ddl_drop is disabled'),
  });
});
