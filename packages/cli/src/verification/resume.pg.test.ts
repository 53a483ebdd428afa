import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { splitPartitions } from '../../../worker/test/split-partitions.ts';
import { type RecordedClinic, recordedClinic } from '../../test/recorded-clinic.ts';
import { projectFolder, type Running, runBemi, startBemi } from '../../test/run-bemi.ts';

/** Entries of one step: progress can be kept behind each. */
const step = 65_536;

/** A log of two steps, each in partitions of its own. */
async function longClinic(): Promise<RecordedClinic> {
  const clinic = await recordedClinic(3);
  await clinic.sourceSql.query(
    `INSERT INTO "Patient" SELECT n, 'Secret Name' FROM generate_series(1000, ${step + 3_000}) n`,
  );
  await clinic.drain();
  await splitPartitions(clinic.auditSql, 0, step, step);
  return clinic;
}

/** Starts a verification that comes to rest where the second step begins, with its progress kept. */
async function startedHalfWay(clinic: RecordedClinic): Promise<Running> {
  await clinic.auditSql.query(`BEGIN; LOCK TABLE bemi.change_log_0_${step} IN ACCESS EXCLUSIVE MODE`);
  const running = startBemi(['verify', '--save-every', '0'], clinic.environment, clinic.folder);
  await expect.poll(() => progressFiles(clinic), { timeout: 60_000 }).toHaveLength(1);
  return running;
}

async function interrupt(clinic: RecordedClinic, signal: NodeJS.Signals) {
  const running = await startedHalfWay(clinic);
  running.child.kill(signal);
  const finished = await running.finished;
  await clinic.auditSql.query('ROLLBACK');
  expect(running.child.signalCode).toBe(signal);
  return finished;
}

const progressFiles = ({ stateDirectory }: RecordedClinic) =>
  readdirSync(stateDirectory).filter((name) => /^verifying-[0-9a-f]{32}\.json$/.test(name));

const verify = (clinic: RecordedClinic, ...args: string[]) =>
  runBemi(['verify', ...args], clinic.environment, clinic.folder);

async function verified(clinic: RecordedClinic, ...args: string[]) {
  const { stdout, stderr } = await verify(clinic, '--json', ...args);
  return { ...(JSON.parse(stdout) as Record<string, unknown> & { findings: object[] }), stderr };
}

/** What two verifications of the same log have in common. */
function lasting(result: object): object {
  const own = ['verifiedAt', 'elapsedMs', 'resumed', 'caveats', 'stderr'];
  return Object.fromEntries(Object.entries(result).filter(([name]) => !own.includes(name)));
}

const forge = (clinic: RecordedClinic, sequence: number, from: string, to: string) =>
  clinic.auditSql.query(
    `UPDATE bemi.change_log SET after = replace(after::text, $1, $2)::json WHERE sequence = $3`,
    [from, to, sequence],
  );

test('a verification that was killed goes on where it was, and says what it did not read again', async () => {
  const clinic = await longClinic();
  const whole = await verified(clinic);
  expect(whole).toMatchObject({ valid: true, resumed: [], stderr: '' });
  expect(progressFiles(clinic)).toEqual([]);

  await interrupt(clinic, 'SIGKILL');
  const [name = ''] = progressFiles(clinic);
  const file = join(clinic.stateDirectory, name);
  const kept = readFileSync(file, 'utf8');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(kept).not.toMatch(/secret/i);

  const resumed = await verified(clinic, '--resume');
  expect(lasting(resumed)).toEqual(lasting(whole));
  expect(resumed).toMatchObject({
    resumed: [{ from: 0, to: step, beganAt: expect.any(String), endedAt: expect.any(String) }],
    caveats: [expect.stringContaining(`Entries 0 to ${(step - 1).toLocaleString('en')} were read between`)],
  });
  expect(progressFiles(clinic)).toEqual([]);
  // There is nothing left to go on with, and that is said.
  const again = await verified(clinic, '--resume');
  expect(again.stderr).toContain('no interrupted verification');
  expect(lasting(again)).toEqual(lasting(whole));

  // What was altered in the part that is still to be read is found; what was altered in the other one since is not, as
  // the result says, and without --resume it is.
  const place = async (sequence: number) => {
    writeFileSync(file, kept);
    await forge(clinic, sequence, 'Secret', 'Forged');
    const { stdout, code } = await verify(clinic, '--resume');
    await forge(clinic, sequence, 'Forged', 'Secret');
    return { stdout, code };
  };
  expect(await place(step + 1_000)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`Entry ${(step + 1_000).toLocaleString('en')} was altered`),
  });
  const before = await place(1_000);
  expect(before.code).toBe(0);
  expect(before.stdout.replace(/\s+/g, ' ')).toContain(
    'before this verification was interrupted, and not again: it says nothing of what was done to them since',
  );
  writeFileSync(file, kept);
  const anew = await verified(clinic);
  expect(anew.stderr).toMatch(/interrupted at entry 65,536: .*--resume.*begins anew/);
  expect(lasting(anew)).toEqual(lasting(whole));

  // Elsewhere: for another log, another key, another version, or in a state that nobody wrote.
  const other = (await clinic.auditSql.query('SELECT log_id AS id FROM bemi.logs')).rows[0].id as string;
  const refused = async (text: string, message: string, ...args: string[]) => {
    writeFileSync(file, text);
    const refusal = await verify(clinic, '--resume', ...args);
    expect(refusal).toMatchObject({ code: 2, stdout: '' });
    expect(refusal.stderr).toContain(message);
    const without = await verified(clinic, ...args);
    expect(without.stderr).toContain('begins anew');
    expect(without).toMatchObject({ valid: true, resumed: [] });
  };
  await refused(kept.slice(0, -100), 'not whole, or was altered');
  await refused(kept.replace(/"version":\d+/, '"version":0'), 'another version');
  await refused('{}', 'no progress of a verification');
  await refused(
    kept,
    'another --key or --checkpoint',
    '--checkpoint',
    join(clinic.stateDirectory, 'checkpoints'),
  );
  expect(await verify(clinic, '--progress', '.bemi/signing-key.pem')).toMatchObject({ code: 2, stdout: '' });
  expect(readFileSync(join(clinic.stateDirectory, 'signing-key.pem'), 'utf8')).toContain('PRIVATE KEY');
  const elsewhere = join(projectFolder(), 'progress');
  writeFileSync(elsewhere, kept);
  await clinic.auditSql.query(`UPDATE bemi.logs SET log_id = '${'0'.repeat(32)}'`);
  expect(await verify(clinic, '--resume', '--progress', elsewhere)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`of another log, ${other}`),
  });
  await clinic.auditSql.query(`UPDATE bemi.logs SET log_id = '${other}'`);

  // Cut meanwhile, below what had been read.
  writeFileSync(file, kept);
  rmSync(join(clinic.stateDirectory, 'checkpoints'), { recursive: true });
  rmSync(join(clinic.stateDirectory, clinic.source.name), { recursive: true });
  await clinic.auditSql.query(
    `${['change_log', 'context_log', 'transaction_log', 'event_log']
      .map((table) => `DELETE FROM bemi.${table} WHERE sequence >= 20`)
      .join(';')}; UPDATE bemi.logs SET next_sequence = 20`,
  );
  expect((await verified(clinic, '--resume')).findings[0]).toMatchObject({
    code: 'rolled-back',
    entries: 20,
  });
});

test('what was found before the interruption is not forgotten; Ctrl-C says how to go on', async () => {
  const clinic = await longClinic();
  await forge(clinic, 1_000, 'Secret', 'Forged');
  const { stderr } = await interrupt(clinic, 'SIGINT');
  expect(stderr).toBe('Interrupted: bemi verify --resume goes on at entry 65,536.\n');
  await forge(clinic, 1_000, 'Forged', 'Secret');
  const { findings } = await verified(clinic, '--resume');
  expect(findings).toMatchObject([{ code: 'altered', sequence: 1_000 }]);
  expect((await verified(clinic)).findings).toEqual([]);

  // Interrupted by the loss of the connection.
  const running = await startedHalfWay(clinic);
  const { rows } = await clinic.auditSql.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  await clinic.auditSql.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid]);
  await clinic.auditSql.query('ROLLBACK');
  const lost = await running.finished;
  expect(lost.code).toBe(1);
  expect(lost.stderr).toContain('bemi verify --resume goes on at entry 65,536');
  expect(await verified(clinic, '--resume')).toMatchObject({ valid: true, resumed: [{ to: step }] });
});
