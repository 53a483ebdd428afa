import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

test('rules are shown, set, changed and cleared, and a running worker goes by them at once', async () => {
  const clinic = await recordedClinic(1);
  const environment = { ...clinic.environment, BEMI_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64') };
  const bemi = (...args: string[]) => runBemi(['rules', ...args], environment, clinic.folder);
  const why = ['--reason', 'policy 7', '--by', 'Ada'];
  expect((await bemi()).stdout).toContain('no rules are in force');
  const worker = startBemi(['worker'], environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');

  const excluded = await bemi('exclude', 'sessions', ...why);
  expect(excluded).toMatchObject({ code: 0, stdout: expect.stringMatching(/Entry \d+ of the log says so/) });
  expect(excluded.stderr).toContain('Nothing that is recorded so far matches sessions');
  expect((await bemi('redact', '*.name=hash', ...why)).stderr).toBe('');
  await clinic.sourceSql.query(`CREATE TABLE sessions (v int); INSERT INTO sessions VALUES (1)`);
  await clinic.sourceSql.query(`INSERT INTO "Patient" VALUES (7, 'Hidden Name')`);
  const log = async () => (await runBemi(['log', '--json'], environment, clinic.folder)).stdout;
  await expect.poll(log, { timeout: 20_000 }).toContain('hmac-sha256:');
  expect(await log()).not.toMatch(/Hidden|sessions/);

  const shown = await bemi('show');
  expect(shown.stdout).toMatch(
    /Recorded +every published table\n +But not +sessions\n +Redacted +\*\.name +hash\n/,
  );
  expect(shown.stdout).toMatch(/Set .* by Ada: policy 7 \(entry \d+\)/);
  const status = await runBemi(['status'], environment, clinic.folder);
  expect(status.stdout).toMatch(
    /Rules +1 pattern of tables that are not, 1 pattern of columns that are redacted/,
  );

  await clinic.sourceSql.query('CREATE TABLE visit (name text, touched text)');
  const tables = async () => (await runBemi(['tables', 'list'], environment, clinic.folder)).stdout;
  expect(await tables()).toMatch(/^- public\.sessions .* left out by a rule$/m);
  expect(await tables()).toMatch(/^✓ public\.Patient .* redacts name \(hash\)$/m);

  writeFileSync(join(clinic.folder, 'rules.yaml'), 'exclude:\n  - sessions\nignore: ["*.touched", "*.id"]\n');
  const set = JSON.parse((await bemi('set', 'rules.yaml', '--json', ...why)).stdout) as object;
  expect(set).toMatchObject({ rules: { exclude: ['sessions'], ignore: ['*.id', '*.touched'], redact: {} } });
  expect(set).toMatchObject({ reason: 'policy 7', by: 'Ada', origin: 'request' });
  expect(await tables()).toMatch(/^- public\.sessions .* left out by a rule$/m);
  expect(await tables()).toMatch(/^[✓✗] public\.visit .*ignores touched$/m);
  // The key of a record is never ignored.
  expect(await tables()).not.toMatch(/ignores.*id|redacts/);
  expect((await bemi('exclude', 'sessions', ...why)).stdout).toContain('Nothing to change');
  expect((await bemi('exclude', 'sessions', '--remove', ...why)).code).toBe(0);
  expect(await bemi('redact', 'id=mask', ...why)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('public.Patient.id'),
  });
  expect((await bemi('clear', ...why)).stdout).toContain('no rules are in force');

  const verified = await runBemi(['verify', '--report', 'report'], environment, clinic.folder);
  expect(verified).toMatchObject({ code: 0 });
  const report = JSON.parse(readFileSync(join(clinic.folder, 'report.json'), 'utf8')) as { rules: unknown[] };
  expect(report.rules).toHaveLength(5);
  expect(report.rules[1]).toMatchObject({
    ...{ event: 'rules-set', reason: 'policy 7', by: 'Ada', fromLsn: expect.any(String) },
    rules: { exclude: ['sessions'], redact: { '*.name': 'hash' } },
  });
  expect(report).toMatchObject({
    notCovered: expect.arrayContaining([expect.stringContaining('the rules of the log')]),
  });
});

test('what can not be is refused with exit code 2, and where it is', async () => {
  const clinic = await recordedClinic(1);
  writeFileSync(join(clinic.folder, 'wrong.yaml'), 'ignore: []\nexlude: [a]\n');
  const wrong: [string[], string][] = [
    [['exclude', 'a.b.c', '--reason', 'r'], '"a.b.c" is no pattern of tables'],
    [['redact', 'ssn', '--reason', 'r'], '"ssn" does not say how to redact'],
    [['ignore', 'x', '--remove', '--reason', 'r'], 'There is no rule ignore x'],
    [['set', 'wrong.yaml', '--reason', 'r'], 'wrong.yaml:2:1: exlude is no rule'],
    [['set', 'missing.yaml', '--reason', 'r'], "missing.yaml can't be read: ENOENT"],
    [['clear', '--reason', ' '], 'A change of rules says why'],
  ];
  for (const [args, message] of wrong) {
    const finished = await runBemi(['rules', ...args], clinic.environment, clinic.folder);
    expect(finished).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  }
});
