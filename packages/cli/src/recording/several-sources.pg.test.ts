import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase } from '@bemi-db/test-kit/database';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { expect, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

test('one source is recorded while another refuses and a third is down; each is named, and all are drained', async () => {
  const [one, two, three, audit] = await Promise.all([
    createDatabase(),
    createDatabase(),
    createDatabase(),
    createDatabase(),
  ]);
  const folder = projectFolder();
  const file = join(folder, 'bemi.config.yaml');
  const down = new URL(three.url);
  down.port = '1';
  const config = (urlOfThree: string, rules: string) => `
destination: \${AUDIT}
port: 0
sources:
  - {name: good, url: "\${GOOD}", slot: ${one.name}, rules: ${rules}}
  - {name: refused, url: "${two.url}", slot: ${two.name}}
  - {name: down, url: "${urlOfThree}", slot: ${three.name}}
`;
  // First only those that are there.
  writeFileSync(file, config(three.url, '{exclude: [skipped]}'), { mode: 0o600 });
  const environment = { AUDIT: audit.url, GOOD: one.url };
  const bemi = (...args: string[]) => runBemi(args, environment, folder);
  const [sql, other] = [await one.connect(), await two.connect()];
  for (const client of [sql, other])
    await client.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE skipped (v int)');

  // Logs that have begun; the slot of one is gone, the server of another.
  expect(await bemi('worker', '--drain')).toMatchObject({ code: 0, stderr: '' });
  writeFileSync(file, config(down.href, '{exclude: [skipped]}'));
  await other.query(`SELECT pg_drop_replication_slot('${two.name}')`);

  const worker = startBemi(['worker'], environment, folder);
  const lines = await worker.untilPrinted('"code":"slot-missing"');
  const port = /"port":(\d+),"msg":"Answering/.exec(lines)?.[1];
  await worker.untilPrinted('"log":"good"');
  await sql.query('INSERT INTO t VALUES (1); INSERT INTO skipped VALUES (1); INSERT INTO t VALUES (2)');
  const log = async (name: string) =>
    (await bemi('log', '--source', name, '--json')).stdout.trim().split('\n');
  await expect.poll(() => log('good'), { timeout: 20_000 }).toHaveLength(2);

  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  expect(await get('/healthz')).toMatchObject({ status: 200 });
  expect(await get('/readyz/good')).toMatchObject({ status: 200 });
  const ready = await get('/readyz');
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.text)).toMatchObject({
    sources: {
      good: { state: 'recording' },
      refused: { state: 'stopped', code: 'slot-missing' },
      down: { state: 'waiting', code: 'unreachable' },
    },
  });
  expect((await get('/logs/good/checkpoint')).text).toMatch(/^bemi\/[0-9a-f]{32}\/1\n/);
  expect((await get('/metrics')).text).toMatch(
    /bemi_recording\{log="good"\} 1\nbemi_recording\{log="refused"\} 0/,
  );

  // Of each, what is wrong with it.
  const doctor = await bemi('doctor', '--json');
  expect(doctor).toMatchObject({ code: 1, stderr: '' });
  const reports = Object.entries(
    (JSON.parse(doctor.stdout) as { sources: Record<string, { checklist: { verdict: string }[] }> }).sources,
  );
  expect(reports.map(([name, { checklist }]) => [name, checklist[4]!.verdict])).toEqual([
    ...[
      ['good', 'ok'],
      ['refused', 'failure'],
      ['down', 'unknown'],
    ],
  ]);
  expect((await bemi('doctor')).stdout).toContain('\n── refused\n');

  // Somebody cures both, and changes the rules: nobody stops the others for that.
  const accepted = await bemi('gap', 'accept', '--source', 'refused', '--reason', 'dropped', '--yes');
  expect(accepted).toMatchObject({ code: 0 });
  writeFileSync(file, config(three.url, '{}'));
  await worker.untilPrinted('Other rules are in force');
  expect(await worker.untilPrinted('only its rules are taken up now')).toContain('"source":"refused"');
  await expect.poll(async () => (await get('/readyz/refused')).status, { timeout: 20_000 }).toBe(200);
  await sql.query('INSERT INTO skipped VALUES (2)');
  await expect.poll(() => log('good'), { timeout: 20_000 }).toHaveLength(3);
  await other.query('INSERT INTO t VALUES (7)');
  await expect.poll(() => log('refused'), { timeout: 20_000 }).toHaveLength(1);

  worker.child.kill('SIGTERM');
  const { code, stdout } = await worker.finished;
  expect(code).toBe(0);
  expect(stdout.match(/"msg":"Stopped"/g)).toHaveLength(3);
  await verifyLogStructure(await audit.connect());

  const status = await bemi('status');
  for (const name of ['good', 'refused', 'down']) expect(status.stdout).toContain(`── ${name}\n`);
  const ambiguous = await bemi('log');
  expect(ambiguous).toMatchObject({ code: 2, stderr: expect.stringContaining('--source NAME') });
  const rules = await bemi('rules', 'exclude', 't', '--source', 'good', '--reason', 'r', '--wait', '0');
  expect(rules.code).toBe(1);
  expect((await bemi('verify', '--log', 'good')).stdout).toContain('The log good is whole');
});

test('what a configuration file can not say', async () => {
  const folder = projectFolder();
  const file = join(folder, 'bemi.config.yaml');
  writeFileSync(
    file,
    'destination: postgres://h/a\nsources:\n  - {name: a, url: "postgres://x:secret-a@h/a"}\n  - {name: b, url: "postgres://x:secret-b@h/b"}\n',
  );
  expect(await runBemi(['worker'], {}, folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'The sources a and b have the same replication slot, bemi_slot of h:5432',
    ),
  });
  writeFileSync(
    file,
    'destination: postgres://h/a\nsources:\n  - {name: a, url: "postgres://x:secret-a@h/a", slot: a}\n  - {name: b, url: "postgres://x:secret-b@h/b"}\n',
  );
  expect(await runBemi(['worker'], { BEMI_DATABASE_URL: 'postgres://h/c' }, folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('BEMI_DATABASE_URL is set, and bemi.config.yaml has several sources'),
  });
  const checked = await runBemi(['config', 'check'], { BEMI_ENCRYPTION_KEY: 'secret-key' }, folder);
  expect(checked.code).toBe(0);
  expect(checked.stdout + checked.stderr).not.toContain('secret-');
  expect(checked.stdout).toMatch(/BEMI_ENCRYPTION_KEY +set/);
  expect(checked.stderr).toContain('Others than its owner may read bemi.config.yaml');
  expect(await runBemi(['config', 'check', '--config', 'nowhere.yaml'], {}, folder)).toMatchObject({
    code: 2,
  });
});
