import { runWithBemiContext } from '@bemi-db/context';
import { wrapClient } from '@bemi-db/context/pg';
import { expect, test } from 'vitest';
import { recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

const encryptionKey = Buffer.alloc(32, 1).toString('base64');

test('a key is made, used, shown, and revoked, while the worker runs', async () => {
  const clinic = await recordedClinic(1);
  const environment = { ...clinic.environment, BEMI_ENCRYPTION_KEY: encryptionKey };
  const bemi = (...args: string[]) => runBemi(args, environment, clinic.folder);
  const worker = startBemi(['worker', '--port', '0'], environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');

  expect((await bemi('keys', 'list')).stdout).toContain('There is no key');
  const created = await bemi('keys', 'create', '--name', 'web', '--by', 'ops');
  expect(created).toMatchObject({ code: 0 });
  expect(created.stdout).toMatch(/^bemi_sk_[A-Za-z0-9]{32}\n$/);
  const apiKey = created.stdout.trim();
  const id = apiKey.slice(8, 16);
  expect(created.stderr).toContain(`The key ${id} counts for ${clinic.source.name} from entry`);
  expect(created.stderr).not.toContain(apiKey);

  const application = wrapClient(await clinic.source.connect(), { apiKey });
  const write = (n: number) =>
    runWithBemiContext({ userId: `u${n}` }, () =>
      application.query(`INSERT INTO "Patient" VALUES ($1)`, [n]),
    );
  await write(1001);
  const recorded = async (n: number) =>
    JSON.parse((await bemi('log', '--json', '-k', String(n))).stdout || '{}') as Record<string, unknown>;
  await expect
    .poll(() => recorded(1001), { timeout: 20_000 })
    .toMatchObject({
      context: { userId: 'u1001' },
      authenticity: 'authentic',
    });
  expect((await bemi('log', '-a', 'authentic')).stdout).toMatch(
    /u1001 created Patient 1001 {2}\[authentic\]/,
  );
  expect((await bemi('log', '-a', 'forged')).stdout).toContain('No change matches');

  const listed = await bemi('keys', 'list', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject({ id, name: 'web' });
  expect(listed.stdout).not.toContain(apiKey.slice(16));
  expect((await bemi('keys', 'revoke', id, '--after', '24h')).stdout).toMatch(/web {2}counts until /);
  await write(1002);
  await expect.poll(() => recorded(1002), { timeout: 20_000 }).toMatchObject({ authenticity: 'authentic' });
  expect((await bemi('status')).stdout).toContain('1 key by which contexts are authentic');
  const status = await runBemi(['status'], clinic.environment, clinic.folder);
  expect(status.stdout).toContain('BEMI_ENCRYPTION_KEY is not set here');
  expect((await bemi('keys', 'revoke', id)).stdout).toMatch(/web {2}revoked at /);
  await write(1003);
  await expect
    .poll(() => recorded(1003), { timeout: 20_000 })
    .toMatchObject({ context: { userId: 'u1003' } });
  expect(await recorded(1003)).not.toHaveProperty('authenticity');
  expect((await bemi('keys', 'revoke', 'AAAAAAAA')).code).toBe(2);
  worker.child.kill('SIGTERM');
  await worker.finished;
  expect((await bemi('verify')).code).toBe(0);
}, 120_000);

test('without the encryption key there is no key, and it says where to put it', async () => {
  const clinic = await recordedClinic(1);
  const missing = await runBemi(['keys', 'create'], clinic.environment, clinic.folder);
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(missing.stderr).toContain('openssl rand -base64 32');
  const malformed = { ...clinic.environment, BEMI_ENCRYPTION_KEY: 'not-a-key' };
  for (const args of [
    ['keys', 'create'],
    ['worker', '--drain'],
  ]) {
    const { code, stderr } = await runBemi(args, malformed, clinic.folder);
    expect(code).toBe(2);
    expect(stderr).toContain('BEMI_ENCRYPTION_KEY is not 32 bytes');
    expect(stderr).not.toContain('not-a-key');
  }
  // A key that nobody has recorded yet is shown all the same: the request waits for a worker.
  const right = { ...clinic.environment, BEMI_ENCRYPTION_KEY: encryptionKey };
  const waiting = await runBemi(['keys', 'create', '--wait', '0'], right, clinic.folder);
  expect(waiting.code).toBe(1);
  expect(waiting.stdout).toMatch(/^bemi_sk_/);
  const drained = await runBemi(['worker', '--drain'], clinic.environment, clinic.folder);
  expect(drained.code).toBe(0);
  const { rows } = await clinic.auditSql.query('SELECT refusal FROM bemi.inbox');
  expect(rows).toEqual([{ refusal: expect.stringContaining('the worker has no BEMI_ENCRYPTION_KEY') }]);
  expect((await runBemi(['keys', 'list'], right, clinic.folder)).stdout).toContain('There is no key');
}, 60_000);
