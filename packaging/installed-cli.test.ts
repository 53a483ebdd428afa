import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finished, run } from './command.ts';
import { serveTarballs } from './tarball-registry.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

const folder = makeTemporaryFolder();
const cwd = folder.path;
const installed = (program: string): string => `${cwd}/node_modules/.bin/${program}`;

beforeAll(async () => {
  const registry = await serveTarballs();
  writeFileSync(`${cwd}/.npmrc`, registry.npmrc);
  writeFileSync(`${cwd}/package.json`, '{}');
  await run('npm', ['install', '--no-audit', '--no-fund', '@bemi-db/cli', '@bemi-db/example-clinic'], {
    cwd,
  });
  await registry.close();
});
afterAll(folder.remove);

it('runs the command line', async () => {
  const { stdout } = await run(installed('bemi'), ['--help'], { cwd });
  expect(stdout).toContain('Usage: bemi');
  expect(stdout).toContain('worker');
});

it('runs the demo on the embedded PostgreSQL', async () => {
  const { stdout, stderr } = await run(installed('bemi'), ['demo', '--once'], { cwd });
  const changes = JSON.parse(stdout) as { readonly operation: string; readonly context: object }[];
  expect(changes.map(({ operation }) => operation)).toEqual(['INSERT', 'UPDATE', 'DELETE']);
  expect(changes[0]?.context).toMatchObject({ userId: 'test_user_123' });
  expect(stderr).toContain('stopped and deleted');
});

it('verifies proofs, and has the page that does', async () => {
  expect(await finished(installed('bemi-verify'), ['nothing.json'], { cwd })).toMatchObject({ code: 2 });
  const page = 'node_modules/@bemi-db/proof/dist/verify.html';
  expect((await run('cat', [page], { cwd })).stdout).toContain('<script>');
});

it('offers an application each module by import and by require, with the same names', async () => {
  const program = `
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    const modules = {};
    for (const name of ['context', 'prisma']) {
      for (const path of Object.keys(require('@bemi-db/' + name + '/package.json').exports)) {
        if (path.endsWith('.json')) continue;
        const id = '@bemi-db/' + name + path.slice(1);
        const named = (module) => Object.keys(module).filter((name) => !/^(default|module.exports)$/.test(name));
        modules[id] = { imported: named(await import(id)).sort(), required: named(require(id)).sort() };
        if (!require.resolve(id).includes('/commonjs/')) throw new Error(id);
      }
    }
    console.log(JSON.stringify(modules));`;
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd });
  expect(stderr).toBe('');
  const modules = JSON.parse(stdout) as Record<
    string,
    { readonly imported: string[]; readonly required: string[] }
  >;
  for (const [id, { imported, required }] of Object.entries(modules))
    expect([id, required]).toEqual([id, imported]);
  expect(modules['@bemi-db/context/pg']?.imported).toEqual(['createPool', 'wrapClient', 'wrapPool']);
  expect(modules['@bemi-db/prisma']?.imported).toContain('PrismaPg');
});

it('has one context, whether its modules are imported or required', async () => {
  const program = `
    import { createRequire } from 'node:module';
    import { setBemiContext } from '@bemi-db/context';
    const { currentBemiContext } = createRequire(import.meta.url)('@bemi-db/context');
    setBemiContext({ userId: 'u1' });
    console.log(JSON.stringify(currentBemiContext()));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd });
  expect(JSON.parse(stdout)).toEqual({ userId: 'u1' });
});
