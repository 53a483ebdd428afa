import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type RecordedClinic, recordedClinic } from '../../test/recorded-clinic.ts';
import { type Finished, runBemi, startBemi } from '../../test/run-bemi.ts';

function bemi(
  clinic: RecordedClinic,
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<Finished> {
  return runBemi(args, { ...clinic.environment, ...more }, clinic.folder);
}

const keyFile = (clinic: RecordedClinic) => join(clinic.stateDirectory, 'signing-key.pem');

async function shownKey(clinic: RecordedClinic, more?: Record<string, string>): Promise<string> {
  const { stdout } = await bemi(clinic, ['keys', 'signing', 'show', '--json'], more);
  return (JSON.parse(stdout) as { key: string }[])[0]!.key;
}

async function verification(clinic: RecordedClinic, ...args: string[]) {
  const { code, stdout, stderr } = await bemi(clinic, ['verify', '--json', ...args]);
  expect(stderr).toBe('');
  return { code, ...(JSON.parse(stdout) as Record<string, unknown>) };
}

test('a rotation while the worker runs: it signs with the new key, and old checkpoints still verify', async () => {
  const clinic = await recordedClinic(20);
  const oldKey = await shownKey(clinic);
  const oldPem = readFileSync(keyFile(clinic), 'utf8');
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  const rotated = await bemi(clinic, ['keys', 'signing', 'rotate']);
  expect(rotated).toMatchObject({ code: 0, stdout: '' });
  expect(rotated.stderr).toMatch(/the worker signs with it from entry \d+ on/);
  const newKey = await shownKey(clinic);
  expect(newKey).not.toBe(oldKey);
  const kept = readdirSync(clinic.stateDirectory).filter((name) => name.endsWith('.pem.old'));
  expect(kept.map((name) => readFileSync(join(clinic.stateDirectory, name), 'utf8'))).toEqual([oldPem]);
  for (const name of ['signing-key.pem', ...kept])
    expect(statSync(join(clinic.stateDirectory, name)).mode & 0o777).toBe(0o600);
  await clinic.sourceSql.query(`INSERT INTO "Patient" VALUES (1000, 'Later')`);
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);
  await clinic.drain();
  for (const key of [oldKey, newKey]) {
    const verified = await verification(clinic, '--key', key);
    expect(verified).toMatchObject({ code: 0, valid: true, findings: [], unprovenTail: 0 });
    expect(verified).toMatchObject({ keys: [{ event: 'created' }, { event: 'rotated' }] });
  }
  const { stdout } = await bemi(clinic, ['verify', '--key', oldKey]);
  expect(stdout).toContain('signed in by a key that is known');
});

test('a rotation while no worker runs takes effect at its next start; one that was interrupted is finished', async () => {
  const clinic = await recordedClinic(5);
  const rotated = await bemi(clinic, ['keys', 'signing', 'rotate']);
  expect(rotated.stderr).toContain('when it next starts');
  await clinic.auditSql.query('DELETE FROM bemi.inbox'); // as if the machine had crashed before the commit
  await expect(clinic.drain()).rejects.toMatchObject({ problem: { code: 'signing-key-other' } });
  const again = await bemi(clinic, ['keys', 'signing', 'rotate']);
  expect(again.stderr).toContain('A rotation had been interrupted');
  await clinic.drain();
  expect(await verification(clinic)).toMatchObject({
    code: 0,
    valid: true,
    keys: [{}, { event: 'rotated' }],
  });
}, 60_000);

test('with BEMI_SIGNING_KEY, rotate prints what to put there, and writes no file', async () => {
  const clinic = await recordedClinic(5);
  const before = readdirSync(clinic.stateDirectory).sort();
  const own = readFileSync(keyFile(clinic), 'utf8');
  const rotated = await bemi(clinic, ['keys', 'signing', 'rotate'], { BEMI_SIGNING_KEY: own });
  const [, seed = ''] = /^BEMI_SIGNING_KEY=(\S{44})\n$/.exec(rotated.stdout) ?? [];
  expect(Buffer.from(seed, 'base64')).toHaveLength(32);
  expect(rotated.stderr).not.toContain(seed);
  expect(readdirSync(clinic.stateDirectory).sort()).toEqual(before);
  const drained = await bemi(clinic, ['worker', '--drain'], { BEMI_SIGNING_KEY: seed });
  expect(drained.code, drained.stderr + drained.stdout).toBe(0);
  expect(await shownKey(clinic, { BEMI_SIGNING_KEY: seed })).not.toBe('');
  expect(await verification(clinic)).toMatchObject({
    code: 0,
    keys: [{ event: 'created' }, { event: 'rotated' }],
  });
});

test('a lost key is replaced only with a reason, and every verification says so', async () => {
  const clinic = await recordedClinic(5);
  const oldKey = await shownKey(clinic);
  const args = ['keys', 'signing', 'replace', '--reason', 'the disk burnt', '--by', 'Ingrid'];
  expect((await bemi(clinic, args)).stderr).toMatch(/is here: it is not lost.*signing rotate/s);
  rmSync(keyFile(clinic));
  expect((await bemi(clinic, ['keys', 'signing', 'rotate'])).stderr).toMatch(
    /There is no key.*signing replace/s,
  );
  expect(await bemi(clinic, args.slice(0, 5))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--by is missing'),
  });
  await expect(clinic.drain()).rejects.toMatchObject({ problem: { code: 'signing-key-missing' } });
  expect((await bemi(clinic, args)).code).toBe(0);
  await clinic.drain();
  const verified = await verification(clinic);
  expect(verified).toMatchObject({ code: 0, valid: true, notices: [{ code: 'key-replaced' }] });
  const replaced = { event: 'replaced', reason: 'the disk burnt', by: 'Ingrid' };
  expect(verified).toMatchObject({ keys: [{ event: 'created' }, replaced] });
  const byOld = await bemi(clinic, ['verify', '--key', oldKey]);
  expect(byOld.code).toBe(0);
  expect(byOld.stdout).toMatch(
    /lost and replaced.*the disk burnt.*by Ingrid.*Nobody vouches for the new one/,
  );
});

test('forged requests for another key are not accepted, and the worker goes on with its own', async () => {
  const clinic = await recordedClinic(5);
  const { rows } = await clinic.auditSql.query<{ key: string }>(
    `SELECT payload->>'publicKey' AS key FROM bemi.event_log WHERE kind = 'key'`,
  );
  const own = rows[0]!.key;
  const other = Buffer.alloc(32, 7).toString('base64');
  const forged = [
    { event: 'rotated', publicKey: other, previous: own, signature: Buffer.alloc(64, 1).toString('base64') },
    { event: 'rotated', publicKey: own, previous: own, signature: Buffer.alloc(64, 1).toString('base64') },
    { event: 'replaced', publicKey: other, previous: own, reason: 'lost', by: 'mallory' },
    null,
  ];
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  for (const payload of forged)
    await clinic.auditSql.query(`INSERT INTO bemi.inbox (log, kind, payload) VALUES (0, 'key', $1)`, [
      JSON.stringify(payload),
    ]);
  await clinic.auditSql.query(`SELECT pg_notify('bemi_inbox', '0')`);
  await worker.untilPrinted('waits until the worker has that key');
  const refusals = async () =>
    (
      await clinic.auditSql.query<{ refusal: string | null }>('SELECT refusal FROM bemi.inbox ORDER BY id')
    ).rows.map(({ refusal }) => refusal);
  await expect
    .poll(refusals, { timeout: 30_000 })
    .toEqual([
      'it is not signed by the key that signs now',
      'the key that it names signs already',
      null,
      'it names no key',
    ]);
  await clinic.sourceSql.query(`INSERT INTO "Patient" VALUES (1000, 'Later')`);
  worker.child.kill('SIGTERM');
  const { code, stdout } = await worker.finished;
  expect({ code, restarts: stdout.includes('signing-key-changed') }).toEqual({ code: 0, restarts: false });
  await clinic.drain();
  expect(await verification(clinic)).toMatchObject({ code: 0, valid: true, keys: [{ event: 'created' }] });
  // A worker that was given the forger's key refuses: nothing of the request helps it.
  const drained = await bemi(clinic, ['worker', '--drain'], {
    BEMI_SIGNING_KEY: Buffer.alloc(32, 9).toString('base64'),
  });
  expect(drained.stderr + drained.stdout).toContain('signing-key-other');
});
