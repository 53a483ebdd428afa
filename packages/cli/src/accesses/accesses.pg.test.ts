import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import { userInfo } from 'node:os';
import { countWaitingAccesses } from '@bemi-db/trail/access/read-accesses';
import { createAccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { expect, test } from 'vitest';
import { type RecordedClinic, recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

function bemiOf({ environment, folder }: RecordedClinic) {
  return async (...args: string[]) => {
    const run = await runBemi(args, environment, folder);
    expect(run, `bemi ${args.join(' ')}: ${run.stdout}${run.stderr}`).toMatchObject({ code: 0 });
    return run;
  };
}

/** What `bemi accesses --json` prints, oldest first. */
async function accessesOf(clinic: RecordedClinic, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await bemiOf(clinic)('accesses', '--json', '--limit', '1000', ...args);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).toReversed();
}

function recordWaiting({ environment, stateDirectory }: RecordedClinic): Promise<boolean> {
  return createAccessRecorder({ destination: environment['BEMI_DESTINATION_URL']!, stateDirectory }).run({
    drain: true,
  });
}

test('each command that shows what is recorded says so first; the entries verify, and are proven one by one', async () => {
  const clinic = await recordedClinic(3);
  const bemi = bemiOf(clinic);
  const before = await runBemi(['verify', '--access'], clinic.environment, clinic.folder);
  expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining('no-accesses') });

  await bemi(
    'log',
    '--table',
    'Patient',
    '--operation',
    'update',
    '--context',
    'userId=secret-user-1',
    '--since',
    '1h',
  );
  await bemi('log', '--without-context', '--limit', '1', '--json');
  await bemi('history', 'Patient', '2');
  await bemi('history', 'public.Patient', '999');
  const [change] = (await bemi('log', '--json', '--limit', '1')).stdout.split('\n');
  const { sequence } = JSON.parse(change!) as { sequence: number };
  await bemi('proof', String(sequence));
  await bemi('proof', String(sequence), '--out', 'entry.proof');
  await bemi('erase', '--table', 'Patient', '--primary-key', '3', '--reason', 'x', '--by', 'me', '--dry-run');
  // Neither these, nor `status`, `doctor` and `verify` below, show what somebody has written into a row.
  for (const args of [['coverage'], ['hold', 'list']]) await runBemi(args, clinic.environment, clinic.folder);

  const name = clinic.source.name;
  const ours = { via: 'cli', by: { id: userInfo().username }, role: 'postgres', log: name, entry: null };
  const tables = [{ table: 'Patient' }];
  const found = await accessesOf(clinic);
  expect(found).toMatchObject([
    {
      ...{
        ...ours,
        what: 'search',
        command: 'log',
        tables,
        operations: ['UPDATE'],
        filters: ['context.userId'],
      },
      ...{ since: expect.any(String), changes: 0 },
    },
    { ...ours, what: 'search', command: 'log', filters: ['without-context'], changes: 1 },
    { ...ours, what: 'view', command: 'history', tables, key: '2', changes: 2 },
    {
      ...ours,
      what: 'view',
      command: 'history',
      tables: [{ schema: 'public', table: 'Patient' }],
      changes: 0,
    },
    { ...ours, what: 'search', command: 'log', changes: 1, firstSequence: String(sequence) },
    { ...ours, what: 'view', command: 'proof', sequence: String(sequence), changes: 1 },
    { ...ours, what: 'export', command: 'proof', sequence: String(sequence) },
    { ...ours, what: 'view', command: 'erase', tables, key: '3', changes: 2 },
  ]);
  expect(JSON.stringify(found)).not.toContain('secret');

  // For a while nobody has recorded them.
  const doctor = async () => {
    const { stdout } = await runBemi(['doctor', '--json'], clinic.environment, clinic.folder);
    const { sections } = JSON.parse(stdout) as {
      sections: { findings: { id: string; verdict: string; evidence: string }[] }[];
    };
    return sections.flatMap(({ findings }) => findings).find(({ id }) => id === 'accesses');
  };
  expect(await doctor()).toMatchObject({ verdict: 'ok' });
  await clinic.auditSql.query(`UPDATE bemi.inbox SET requested_at = now() - interval '5 minutes'`);
  expect(await doctor()).toMatchObject({
    verdict: 'warning',
    evidence: '9 accesses wait, the oldest came 5 minutes ago',
  });
  const status = await runBemi(['status'], clinic.environment, clinic.folder);
  expect(status.stdout).toMatch(/Accesses +9 accesses wait to be recorded, the oldest came 5 minutes ago: /);

  // As they were asked for, in their order; and what we have just looked at.
  expect(await recordWaiting(clinic)).toBe(true);
  expect(await countWaitingAccesses(clinic.auditSql)).toMatchObject({ count: 0 });
  expect(await doctor()).toMatchObject({ verdict: 'ok' });
  const recorded = await accessesOf(clinic);
  expect(recorded.map(({ entry, isRecorded, command }) => ({ entry, isRecorded, command }))).toEqual(
    [...found, { command: 'accesses' }].map(({ command }, i) => ({
      ...{ entry: String(3 + i), isRecorded: true, command },
    })),
  );
  expect(
    (await accessesOf(clinic, '--table', 'Patient', '--primary-key', '2')).map(({ entry }) => entry),
  ).toEqual(['5']);
  expect(await accessesOf(clinic, '--by', 'nobody')).toEqual([]);
  const { stdout } = await bemi('accesses', '--limit', '50');
  expect(stdout).toContain(`viewed Patient 2 in ${name}: 2 entries, from `);
  expect(stdout).toContain('not recorded yet');

  await recordWaiting(clinic);
  // By what its worker remembers beside its key, too.
  renameSync(`${clinic.stateDirectory}/checkpoints`, `${clinic.folder}/away`);
  const verified = await bemi('verify', '--access');
  expect(verified.stdout).toMatch(/✓ The log bemi:access is whole: none of its \d+ entries was altered/);
  expect(verified.stdout).toContain('bemi%3Aaccess%40');
  expect(verified.stdout).not.toContain('Tail not proven');
  await bemi('proof', '5', '--access', '--out', 'access.proof');
  expect(readFileSync(`${clinic.folder}/access.proof`, 'utf8')).toContain('\\"key\\":\\"2\\"');
  const report = await bemi('verify', '--log', 'bemi:access', '--report', 'accesses');
  expect(report.stderr).toContain('signed by accesses.note');
  expect((await bemi('keys', 'signing', 'show')).stdout).toContain('bemi:access');
  expect(await bemi('verify')).toMatchObject({ stdout: expect.stringContaining(`The log ${name} is whole`) });

  await clinic.auditSql.query(
    `UPDATE bemi.event_log SET payload = replace(payload::text, '"key":"2"', '"key":"1"')::json WHERE kind = 'access'`,
  );
  const altered = await runBemi(['verify', '--access'], clinic.environment, clinic.folder);
  expect(altered).toMatchObject({ code: 1, stdout: expect.stringMatching(/altered/) });
});

test('what is long is said when it begins and when it ends, however it ends', async () => {
  const clinic = await recordedClinic(150);
  const { environment, folder } = clinic;
  const bemi = bemiOf(clinic);
  await bemi('log', '--limit', '1000');
  const [begin, end] = await accessesOf(clinic);
  expect(begin).toMatchObject({ part: 'begin', what: 'search' });
  expect(begin).not.toHaveProperty('changes');
  expect(end).toMatchObject({ part: 'end', changes: 300, id: begin!['id'] });

  // Whoever reads it goes away in the middle, as `head` does.
  const cut = startBemi(['log', '--limit', '1000', '--json'], environment, folder);
  await once(cut.child.stdout, 'data');
  cut.child.stdout.destroy();
  expect(await cut.finished).toMatchObject({ code: 0, stderr: '' });
  const [, , , ...afterCut] = await accessesOf(clinic);
  expect(afterCut).toMatchObject(
    [{ part: 'begin' }, { part: 'end', changes: expect.any(Number) }, {}].slice(0, 2),
  );

  // Nobody reads on, and it is told to end.
  const stuck = startBemi(['log', '--limit', '1000', '--json'], environment, folder);
  await once(stuck.child.stdout, 'data');
  stuck.child.stdout.pause();
  stuck.child.kill('SIGINT');
  stuck.child.stdout.resume();
  expect([0, 130]).toContain((await stuck.finished).code);
  const live = startBemi(['log', '--follow', '--limit', '2', '--json'], environment, folder);
  await live.untilPrinted('"sequence"');
  await clinic.sourceSql.query(`INSERT INTO "Patient" VALUES (1000, 'x')`);
  await clinic.drain();
  await live.untilPrinted('"primaryKey":"1000"');
  live.child.kill('SIGTERM');
  expect(await live.finished).toMatchObject({ code: 0 });
  const killed = startBemi(['log', '--follow', '--limit', '2', '--json'], environment, folder);
  await killed.untilPrinted('"sequence"');
  killed.child.kill('SIGKILL');
  await killed.finished;
  const last = (await accessesOf(clinic)).slice(-5);
  expect(last).toMatchObject([
    ...[{ part: 'begin' }, { part: 'end', what: 'search' }],
    ...[
      { part: 'begin', what: 'live' },
      { part: 'end', what: 'live', changes: 3 },
    ],
    ...[{ part: 'begin', what: 'live' }],
  ]);
});

test('where it can not be recorded nothing is shown; an older audit database is read all the same, and that is said', async () => {
  const clinic = await recordedClinic(2);
  const { auditSql, environment, folder } = clinic;
  await auditSql.query('REVOKE EXECUTE ON FUNCTION bemi.request_access FROM PUBLIC');
  const role = `reader_${clinic.source.name}`;
  await auditSql.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA bemi TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA bemi TO ${role}`,
  );
  try {
    const url = new URL(environment['BEMI_DESTINATION_URL']!);
    url.username = role;
    url.password = 'x';
    const asReader = { ...environment, BEMI_DESTINATION_URL: url.href };
    for (const args of [
      ['log'],
      ['history', 'Patient', '1'],
      ['proof', '4'],
      ['accesses'],
      ['log', '--follow'],
    ]) {
      const run = await runBemi(args, asReader, folder);
      expect(run, args.join(' ')).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('access-not-recorded');
      expect(run.stderr).toContain('GRANT EXECUTE ON FUNCTION bemi.request_access(jsonb) TO PUBLIC;');
    }
    await auditSql.query('GRANT EXECUTE ON FUNCTION bemi.request_access TO PUBLIC');
    expect((await runBemi(['log', '--json'], asReader, folder)).stdout.split('\n')).toHaveLength(5);
    expect((await accessesOf(clinic, '--by', role)).length).toBe(1);
  } finally {
    await auditSql.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }

  await auditSql.query('DROP FUNCTION bemi.request_access');
  const older = await runBemi(['log', '--json'], environment, folder);
  expect(older).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Who looks at this is not recorded: the schema .* is older\. .*\n$/),
  });
  expect(older.stdout.split('\n')).toHaveLength(5);
});

test('a running worker records an access at once, serves and publishes its log, and takes another key for it', async () => {
  const clinic = await recordedClinic(1);
  const bemi = bemiOf(clinic);
  await bemi('log');
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  const port = /"port":(\d+),"msg":"Answering/.exec(await worker.untilPrinted('"log":'))?.[1];
  const recorded = async () => (await accessesOf(clinic)).filter(({ isRecorded }) => isRecorded).length;
  await expect.poll(recorded, { timeout: 20_000 }).toBeGreaterThan(0);
  const served = async () => (await fetch(`http://127.0.0.1:${port}/logs/bemi:access/checkpoint`)).text();
  expect(await served()).toMatch(/^bemi\/[0-9a-f]{32}\/1\n\d+\n/);
  expect((await fetch(`http://127.0.0.1:${port}/logs/bemi:access/tile/0/000.p/1`)).status).toBe(200);

  const rotated = await bemi('keys', 'signing', 'rotate');
  expect(rotated.stderr).toMatch(/bemi:access: the worker signs with it from entry \d+ on\./);
  await bemi('history', 'Patient', '1');
  await expect
    .poll(async () => (await accessesOf(clinic, '--primary-key', '1'))[0]?.['isRecorded'], {
      timeout: 20_000,
    })
    .toBe(true);
  worker.child.kill('SIGTERM');
  expect(await worker.finished).toMatchObject({ code: 0, stderr: '' });
  const { rows } = await clinic.auditSql.query<{ said: string }>(
    `SELECT concat_ws(' ', kind, payload->>'event') AS said FROM bemi.event_log e JOIN bemi.logs l USING (log)
      WHERE l.name = 'bemi:access' AND kind <> 'access' ORDER BY sequence`,
  );
  expect(rows.map(({ said }) => said)).toEqual([
    ...['lifecycle created', 'key created', 'config retention-set', 'lifecycle started'],
    ...['key rotated', 'lifecycle stopped'],
  ]);
  const verified = await bemi('verify', '--access');
  expect(verified.stdout).toContain('The log bemi:access is whole');
});
