import { triggersUp } from '@bemi-db/source/context-triggers';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { createWorker } from '@bemi-db/worker';
import pg from 'pg';
import { expect, test } from 'vitest';
import { recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

interface Report {
  readonly checklist: readonly object[];
  readonly sections: readonly {
    readonly id: string;
    readonly findings: readonly {
      id: string;
      verdict: string;
      title: string;
      evidence: string;
      fix: string;
    }[];
  }[];
  readonly contextShare: { readonly tables: readonly object[] } | null;
}

/** What the test's shared server and its superuser are not meant for. */
const otherwise = [
  '--ignore',
  'least-privilege,slot-limit,ddl-triggers,lag,alerts,audit-role,checkpoints-off-host,captured,context-members,' +
    'disaster-recovery-plan,backup,encryption-at-rest,network-isolation',
];

async function doctor(environment: Record<string, string>, folder: string, ...flags: string[]) {
  const { code, stdout, stderr } = await runBemi(
    ['doctor', '--json', ...flags, ...otherwise],
    environment,
    folder,
  );
  const report = JSON.parse(stdout) as Report;
  const findings = report.sections.flatMap((section) => section.findings);
  const bad = findings.filter(({ verdict, title }) => verdict !== 'ok' && !title.endsWith('(ignored)'));
  return { code, stderr, report, findings, bad: bad.map(({ id, verdict }) => `${id}: ${verdict}`) };
}

test.runIf(streamsContext())(
  'a log that is being recorded is well; what is not is named, with what cures it',
  async () => {
    const clinic = await recordedClinic(4);
    const { environment, folder, source, sourceSql } = clinic;
    const well = startBemi(['worker'], environment, folder);
    await well.untilPrinted('Recording');

    // Each patient was created with a context, and updated without.
    const half = await doctor(environment, folder, '--max-without-context', '50');
    expect(half).toMatchObject({ code: 0, bad: [], stderr: '' });
    expect(half.findings.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        ...['source-connection', 'wal-level', 'publication', 'slot', 'slot-health', 'worker', 'emit-message'],
        ...['context-triggers', 'actor-triggers', 'audit-connection', 'audit-schema', 'log', 'context-share'],
      ]),
    );
    expect(half.report.checklist).toHaveLength(15);
    expect(half.report.checklist[5]).toEqual({
      ...{ number: 6, line: 'Publication created (bemi_publication)', verdict: 'ok' },
      ...{ checks: ['publication'], evidence: 'for all tables', fix: '', sql: [] },
    });
    expect(half.report.contextShare).toMatchObject({
      tables: [{ schema: 'public', table: 'Patient', changes: 8, without: 4, writers: [] }],
    });
    const wanting = await runBemi(['doctor', ...otherwise], environment, folder);
    expect(wanting.code).toBe(1);
    expect(wanting.stdout).toMatch(
      / ! Context enrichment working \(userId, accessReason\)\n {4}Changes of public\.Patient have no context {2}50 % of 8 recent changes are without/,
    );
    expect(wanting.stdout).toMatch(/\n {6}public\.Patient {2}50 % {2}4 of 8\n/);
    expect(wanting.stdout).toMatch(/→ See them: bemi log --table public\.Patient --without-context\n/);
    expect(wanting.stdout).toMatch(
      /migration:create --no-context --actor\n[\s\S]*\n! 1 warning, \d+ not known; \d+ checks passed\.\n$/,
    );
    const log = await runBemi(['log', '--table', 'public.Patient', '--without-context'], environment, folder);
    expect(log.stdout.match(/direct SQL \(without context\) updated Patient/g)).toHaveLength(4);

    // By that advice: first it is seen who it is, then there is a context.
    await sourceSql.query(triggersUp({ kinds: ['context', 'actor'], tables: 'all' }));
    const etl = new pg.Client({ connectionString: source.url, application_name: 'nightly\u001b[2J import' });
    await etl.connect();
    await etl.query(`UPDATE "Patient" SET name = 'direct'`);
    await expect
      .poll(async () => (await runBemi(['doctor', ...otherwise], environment, folder)).stdout, {
        timeout: 30_000,
      })
      .toMatch(/public\.Patient {2}67 % {2}8 of 12 {2}by postgres \(nightly\S* import\) 4\n/);
    await etl.query(`SET bemi.context = '{"job":"nightly"}'; UPDATE "Patient" SET name = 'with context'`);
    await etl.end();
    await expect
      .poll(async () => (await doctor(environment, folder, '--entries', '5')).bad, { timeout: 30_000 })
      .toEqual([]);

    well.child.kill('SIGTERM');
    await well.finished;
    const stopped = await doctor(environment, folder, '--entries', '5');
    expect(stopped).toMatchObject({ code: 1, bad: ['worker: failure'] });
    expect(stopped.findings.find(({ id }) => id === 'worker')).toMatchObject({
      evidence: expect.stringMatching(/nobody reads slot_\S+: the server keeps .* of WAL/),
      fix: 'Start it: bemi worker',
    });
  },
);

test('a side that can’t be reached is a finding, one that is not configured is not, and the other is shown', async () => {
  const { environment, folder, auditSql } = await recordedClinic(0);
  const { BEMI_DATABASE_URL, BEMI_DESTINATION_URL, ...rest } = environment as Record<string, string>;
  const dead = 'postgres://bemi:hunter2@127.0.0.1:1/app';
  const noSource = await doctor(
    { ...environment, BEMI_DATABASE_URL: dead },
    folder,
    '--source',
    sourceName(environment),
  );
  expect(noSource).toMatchObject({
    code: 1,
    bad: [...['source-connection: failure', 'source: unknown', 'context-share: unknown']],
  });
  expect(JSON.stringify(noSource.report)).not.toContain('hunter2');
  const noAudit = await doctor({ ...environment, BEMI_DESTINATION_URL: dead }, folder);
  expect(noAudit.bad).toEqual(['worker: failure', 'audit-connection: failure', 'audit: unknown']);
  const onlyAudit = await doctor({ ...rest, BEMI_DESTINATION_URL: BEMI_DESTINATION_URL! }, folder);
  expect(onlyAudit).toMatchObject({
    code: 0,
    bad: ['source-connection: unknown', 'context-share: unknown'],
  });
  const onlySource = await doctor({ ...rest, BEMI_DATABASE_URL: BEMI_DATABASE_URL! }, folder);
  expect(onlySource.bad).toEqual(['worker: failure', 'audit-connection: unknown']);

  await auditSql.query(`DELETE FROM bemi.migrations WHERE name = '0006_actor.sql'`);
  expect((await doctor(environment, folder)).bad).toContain('audit-schema: warning');
  await createWorker({
    source: BEMI_DATABASE_URL!,
    destination: BEMI_DESTINATION_URL!,
    slot: environment['BEMI_REPLICATION_SLOT']!,
    stateDirectory: `${folder}/.bemi`,
  }).run({ drain: true });
  expect((await doctor(environment, folder)).bad).not.toContain('audit-schema: warning');
});

const sourceName = (environment: Record<string, string>): string =>
  new URL(environment['BEMI_DATABASE_URL']!).pathname.slice(1);
