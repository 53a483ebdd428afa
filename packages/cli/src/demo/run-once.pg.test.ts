import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const context = {
  userId: 'test_user_123',
  role: 'PHYSICIAN',
  ipAddress: '192.168.1.100',
  userAgent: 'Test Script',
  endpoint: '/test',
  accessReason: 'Testing Bemi replication',
};

test("prints the guide's three changes, and leaves nothing behind", async () => {
  const folder = projectFolder();
  const { code, stdout, stderr } = await runBemi(['demo', '--once'], { TMPDIR: folder });
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('stopped and deleted') });
  expect(readdirSync(folder)).toEqual([]);

  const changes = JSON.parse(stdout) as Record<string, Record<string, unknown>>[];
  const keys = ['operation', 'table', 'before', 'after', 'context', 'timestamp'];
  expect(changes.map((change) => Object.keys(change))).toEqual([keys, keys, keys]);
  const [inserted, updated, deleted] = changes;
  const row = {
    ...{ id: inserted?.['after']?.['id'], firstName: 'Test', lastName: 'Patient', dateOfBirth: '1990-01-01' },
    ...{ gender: 'MALE', email: 'test@example.com', phone: '+1234567890', address: null, allergies: null },
    ...{ createdAt: expect.any(String), updatedAt: expect.any(String) },
  };
  const rest = { table: 'Patient', context, timestamp: expect.stringMatching(/^20.*T.*Z$/) };
  expect(inserted).toEqual({ operation: 'INSERT', before: null, after: row, ...rest });
  expect(updated).toEqual({
    operation: 'UPDATE',
    before: { firstName: 'Test', updatedAt: inserted?.['after']?.['updatedAt'] },
    after: { firstName: 'Updated', updatedAt: expect.any(String) },
    ...rest,
  });
  expect(updated?.['after']?.['updatedAt']).not.toBe(updated?.['before']?.['updatedAt']);
  const updatedRow = { ...inserted?.['after'], ...updated?.['after'] };
  expect(deleted).toEqual({ operation: 'DELETE', before: updatedRow, after: null, ...rest });
});

test('a signal while it starts ends it, and leaves nothing behind', async () => {
  const folder = projectFolder();
  const demo = startBemi(['demo', '--once'], { TMPDIR: folder });
  while (readdirSync(folder).length === 0) await delay(5);
  demo.child.kill('SIGTERM');
  const { code, stdout, stderr } = await demo.finished;
  expect({ code, stdout }).toEqual({ code: 143, stdout: '' });
  expect(stderr).toMatch(/^(✓ .*\n)+$/);
  expect(readdirSync(folder)).toEqual([]);
});

test('without the example application it says where that is', async () => {
  // As the package is installed elsewhere: everything but the example.
  const modules = join(projectFolder(), 'node_modules');
  const cli = join(modules, '@bemi-db', 'cli');
  mkdirSync(cli, { recursive: true });
  const link = (name: string): void => symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const name of readdirSync(join(root, 'node_modules'))) if (name !== '@bemi-db') link(name);
  for (const name of readdirSync(join(root, 'node_modules', '@bemi-db'))) {
    if (name !== 'cli' && name !== 'example-clinic') link(join('@bemi-db', name));
  }
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(join(root, 'packages', 'cli', part), join(cli, part), { recursive: true });
  }
  const run = spawnSync(process.execPath, [join(cli, 'bin', 'bemi.js'), 'demo'], { encoding: 'utf8' });
  expect(run).toMatchObject({ status: 1, stdout: '' });
  expect(run.stderr).toMatch(
    /✗ The example application .* is not installed.*no-example.*npm ci && npm run demo/s,
  );
});
