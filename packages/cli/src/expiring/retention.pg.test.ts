import { expect, test } from 'vitest';
import { agedClinic, moment } from '../../test/aged-clinic.ts';
import { recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

test('what has expired is dropped by the running worker, and the rest verifies', async () => {
  const clinic = await agedClinic(moment);
  const bemi = (...args: string[]) => runBemi(args, clinic.environment, clinic.folder);
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  const planned = JSON.parse((await bemi('retention', '--dry-run', '--json')).stdout);
  expect(planned).toEqual({
    olderThan: expect.any(String),
    before: expect.any(Number),
    changes: expect.any(Number),
    transactions: expect.any(Number),
  });
  expect(planned.before % 512).toBe(0);
  expect(planned.changes).toBeGreaterThan(300);
  const dropped = await bemi('retention', '--by', 'archivist', '--yes');
  expect(dropped).toMatchObject({ code: 0, stderr: '' });
  expect(dropped.stdout).toMatch(/^To be dropped, for good.*✓ Dropped\. The log says so in entry [\d,]+;/s);
  const stored = await clinic.auditSql.query(
    `SELECT min(sequence)::int AS first, (SELECT count(*)::int FROM bemi.event_log WHERE sequence < $1) AS events
       FROM bemi.change_log`,
    [planned.before],
  );
  expect(stored.rows[0].first).toBeGreaterThanOrEqual(planned.before);
  expect(stored.rows[0].events).toBeGreaterThanOrEqual(3);
  expect((await bemi('retention', '--yes')).stdout).toMatch(/^Nothing to drop/);

  const verified = async () =>
    JSON.parse((await runBemi(['verify', '--json'], clinic.environment, clinic.folder)).stdout);
  const { before } = planned;
  expect(await verified()).toMatchObject({
    valid: true,
    notices: [{ code: 'entries-dropped', before }],
    retention: [{ before, by: 'archivist', olderThan: expect.any(String) }],
  });
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);
  expect(await verified()).toMatchObject({ valid: true, unprovenTail: 0 });
  await clinic.auditSql.query(
    'DELETE FROM bemi.transaction_log WHERE sequence = (SELECT min(sequence) FROM bemi.transaction_log)',
  );
  expect(await verified()).toMatchObject({ valid: false, findings: [{ code: 'missing', count: 1 }] });
});

test('a clock that is ahead and a variable that is wrong drop nothing', async () => {
  const clinic = await agedClinic(1);
  const later = {
    ...clinic.environment,
    NODE_OPTIONS: `--import ${new URL('../../test/two-days-later.mjs', import.meta.url)}`,
  };
  const bemi = (args: readonly string[], environment: Record<string, string> = later) =>
    runBemi(args, environment, clinic.folder);
  expect((await bemi(['worker', '--drain'])).code).toBe(0);
  expect((await bemi(['retention', '--dry-run'])).stdout).toMatch(/^Nothing to drop/);

  const tenDays = { ...clinic.environment, BEMI_RETENTION_DAYS: '10' };
  expect((await bemi(['worker', '--drain'], tenDays)).code).toBe(0);
  const wrong = await bemi(['worker', '--drain'], { ...tenDays, BEMI_RETENTION_DAYS: '2' });
  expect(wrong.stdout).toContain('BEMI_RETENTION_DAYS is shorter than what the log says, and has no effect');
  expect(JSON.parse((await bemi(['retention', 'show', '--json'], tenDays)).stdout)).toMatchObject({
    ...{ days: 10, tables: [], pending: [], expiredChanges: 0, logTime: expect.any(String) },
  });
  const early = await bemi(['retention', '--older-than', '5', '--yes'], tenDays);
  expect(early).toMatchObject({ code: 1, stdout: '' });
  expect(early.stderr).toMatch(/keeps everything for 10 days.*retention set --days 5 --reason/s);
});

test('bemi retention set and show', async () => {
  const clinic = await recordedClinic(5);
  const bemi = (...args: string[]) => runBemi(args, clinic.environment, clinic.folder);
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  expect((await bemi('retention', 'set', '--days', '3650')).stdout).toMatch(
    /^✓ Everything is kept for 3,650 days, from now on\. The log says so in entry \d+\.\n/,
  );
  expect((await bemi('retention', 'set', '--days', '3650')).stdout).toBe(
    'Everything is kept for 3,650 days already.\n',
  );
  expect(await bemi('retention', 'set', '--days', '1096', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'Everything is kept for 3,650 days now: to keep it for less long takes a reason',
    ),
  });
  const lower = ['--days', '1096', '--reason', 'policy 7', '--by', 'dpo', '--yes'];
  expect((await bemi('retention', 'set', ...lower)).stdout).toMatch(
    /3 years\), from \d{4}-.*takes it back\./,
  );
  expect((await bemi('retention', 'set', '--table', 'Patient', '--days', '4383')).stdout).toMatch(
    /^✓ public\.Patient is kept for 4,383 days \(12 years\), from now on/,
  );
  expect((await bemi('retention', 'show')).stdout).toMatch(
    /^Kept\n {2}All else +3,650 days\n {2}public\.Patient +4,383 days \(12 years\)\n {2}From \d{4}-\S+ \S+ +1,096 days \(3 years\)\n {2}Expired +no whole partition\n {2}Time +\d{4}-.*, by the log's own account\n$/,
  );
  const back = await bemi(
    'retention',
    'set',
    '--table',
    'Patient',
    '--as-others',
    '--yes',
    '--reason',
    'r',
    '--json',
  );
  expect(JSON.parse(back.stdout)).toEqual({ days: null, sequence: expect.any(Number) });
  for (const wrong of [['--days', 'six'], [], ['--as-others'], ['--days', '7', '--table', 'Nobody']])
    expect((await bemi('retention', 'set', ...wrong)).code).toBeGreaterThan(0);
  const report = JSON.parse((await bemi('verify', '--json')).stdout);
  expect(report.findings).toEqual([]);
});
