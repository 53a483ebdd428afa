import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { firstAdmin } from '../../test/first-admin.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

/** What the test reads of the API's answers. */
interface Answer {
  readonly logs?: readonly { readonly name: string }[];
  readonly entries?: readonly { readonly primaryKey: string | null }[];
  readonly verification?: unknown;
}

test('bemi start serves the dashboard beside health checks; its first link makes the admin, who verifies', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const client = await source.connect();
  await client.query('CREATE TABLE t (id int PRIMARY KEY)');
  const bemi = startBemi(['start'], {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: `slot_${source.name}`,
    BEMI_PORT: '0',
  });
  const admin = await firstAdmin(bemi);
  await bemi.untilPrinted('"msg":"Recording"');
  await client.query('INSERT INTO t SELECT generate_series(1, 1000)');
  const { origin } = admin;
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  expect(await (await fetch(`${origin}/logs`)).text()).toContain('<div id="root">');
  expect((await fetch(`${origin}/api/v1/logs`)).status).toBe(401);

  const ask = async (path: string, method = 'GET') => (await admin.ask(path, method)).json as Answer;
  await expect.poll(async () => (await ask('/logs')).logs?.[0]?.name, { timeout: 30_000 }).toBe(source.name);
  const log = `/logs/${source.name}`;
  await expect
    .poll(async () => (await ask(`${log}/entries?limit=1`)).entries?.[0]?.primaryKey, { timeout: 30_000 })
    .toBe('1000');

  expect(await ask(`${log}/verification`, 'POST')).toMatchObject({
    verification: { state: 'running', startedBy: 'Ada' },
  });
  await expect
    .poll(async () => (await ask(`${log}/verification`)).verification, { timeout: 30_000 })
    .toMatchObject({ state: 'done', report: { valid: true, findings: [] }, problem: null });

  // Whoever lost everything makes himself a link where Bemi runs: it ends what was signed in before.
  const settings = { BEMI_DESTINATION_URL: audit.url, BEMI_PUBLIC_URL: origin };
  expect((await runBemi(['accounts'], settings)).stdout).toMatch(
    /^ada@clinic\.example {2}admin {2}all tables {2}seen \S+ \S+ UTC {2}password\n$/,
  );
  expect(await runBemi(['accounts', 'link', 'eve@clinic.example'], settings)).toMatchObject({
    ...{ code: 1, stdout: '' },
    stderr: expect.stringMatching(/Nobody has an account .*eve@clinic\.example.*--role admin/s),
  });
  const made = await runBemi(['accounts', 'link', 'ADA@clinic.example'], settings);
  expect(made.stderr).toMatch(/sets a new password for ada@clinic\.example \(admin\)/);
  const anew = await fetch(`${origin}/api/v1/auth/link/accept`, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({
      token: new URL(made.stdout.trim()).hash.slice(1),
      password: 'amber lantern counts 9 swallows',
    }),
  });
  expect(anew.status).toBe(200);
  expect((await admin.ask('/session')).status).toBe(401);
  const { stdout: accesses } = await runBemi(['accesses', '--what', 'account', '--json'], settings);
  expect(accesses).toContain('"action":"reset-link-made"');
  bemi.child.kill('SIGTERM');
  const { code } = await bemi.finished;
  expect(code).toBe(0);
});
