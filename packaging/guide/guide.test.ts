import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { effort } from '@bemi-db/test-kit/effort';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../command.ts';
import { serveTarballs, type TarballRegistry } from '../tarball-registry.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { type GuideDatabase, type LoggedChange, startGuideDatabase } from './guide-database.ts';
import { startNext } from './next-server.ts';
import { makeWebApplication, type WebApplication, type WebApplicationKind } from './web-application.ts';

const patient = {
  firstName: 'Test',
  lastName: 'Patient',
  dateOfBirth: '1990-01-01T00:00:00',
  gender: 'MALE',
  email: 'test@example.com',
  phone: '+1234567890',
};
const context = {
  userId: 'test_user_123',
  role: 'PHYSICIAN',
  ipAddress: '192.168.1.100',
  userAgent: 'Test Script',
  endpoint: '/test',
  accessReason: 'Testing Bemi replication',
};

const folder = makeTemporaryFolder();
let registry: TarballRegistry;
let database: GuideDatabase;

beforeAll(async () => {
  registry = await serveTarballs();
  const cli = `${folder.path}/cli`;
  mkdirSync(cli);
  writeFileSync(`${cli}/.npmrc`, registry.npmrc);
  writeFileSync(`${cli}/package.json`, '{}');
  const install = ['install', '--no-audit', '--no-fund', '--omit=optional', '@bemi-db/cli'];
  await run('npm', install, { cwd: cli });
  database = await startGuideDatabase(cli);
});
afterAll(async () => {
  await database?.stop();
  await registry?.close();
  folder.remove();
});

/** What the guide expects of its test: all of what it shows, and nothing else in an UPDATE. */
function expectGuideLog(log: readonly LoggedChange[], id: string): void {
  expect(log.map(({ operation, before, after, context }) => ({ operation, before, after, context }))).toEqual(
    [
      { operation: 'INSERT', before: null, after: { id, ...patient }, context },
      { operation: 'UPDATE', before: { firstName: 'Test' }, after: { firstName: 'Updated' }, context },
      { operation: 'DELETE', before: { id, ...patient, firstName: 'Updated' }, after: null, context },
    ],
  );
}

const testScript = ['tsx', '--env-file=.env', 'test-bemi.ts'];

async function runTestScript(web: WebApplication, env: Readonly<Record<string, string>> = {}) {
  const { stdout, stderr } = await web.pnpm(testScript, { ...database.environment, ...env });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^Created patient: c.*\nUpdated patient\nDeleted patient\n✅ Bemi test complete/);
  return /^Created patient: (.*)$/m.exec(stdout)![1]!;
}

const isFull = effort(0, 1) === 1;
const kinds: readonly WebApplicationKind[] = [
  { packages: 'prisma-7', modules: 'commonjs' },
  { packages: 'prisma-7', modules: 'module' },
  { packages: 'prisma-6', modules: 'commonjs' },
  { packages: 'prisma-6', modules: 'module' },
];

const compilerOptions = {
  commonjs: [
    ['--module', 'nodenext'],
    ['--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0'],
    ['--module', 'commonjs', '--moduleResolution', 'bundler'],
  ],
  module: [['--module', 'esnext', '--moduleResolution', 'bundler']],
};

describe.each(isFull ? kinds : kinds.slice(0, 1))('$packages, $modules', (kind) => {
  let web: WebApplication;
  beforeAll(async () => {
    web = await makeWebApplication(folder.path, kind, registry.npmrc);
  });

  it("gives the guide's log", async () => {
    const id = await runTestScript(web);
    expectGuideLog(await database.log(id), id);
  });

  it.runIf(isFull)('has types that fit, by every way of looking for modules', async () => {
    for (const options of compilerOptions[kind.modules!]) {
      await web.pnpm(['tsc', '--noEmit', '--strict', '--types', 'node', ...options, 'test-bemi.ts']);
    }
  });

  it.runIf(isFull)('is switched off by ENABLE_BEMI_AUDIT=false', async () => {
    const switchedOff = { ...database.environment, ENABLE_BEMI_AUDIT: 'false' };
    // Prisma 6 as well, where it has no query engine of its own.
    const { code, stderr } = await web.attempt(testScript, switchedOff);
    const error = { 'prisma-7': 'ConstructorValidation', 'prisma-6': 'Initialization', next: '' }[
      kind.packages
    ];
    expect(stderr).toMatch(new RegExp(`PrismaClient${error}Error: .* adapter`));
    expect(code).toBe(1);

    web.write('src/lib/prisma.ts', documentedPrismaFile());
    const id = await runTestScript(web, switchedOff);
    expect((await database.log(id)).map(({ operation, context }) => ({ operation, context }))).toEqual([
      { operation: 'INSERT', context: null },
      { operation: 'UPDATE', context: null },
      { operation: 'DELETE', context: null },
    ]);
    const audited = await runTestScript(web);
    expectGuideLog(await database.log(audited), audited);
  });
});

/** What docs/context/prisma.md says to write where Bemi shall be switched off on Prisma 7. */
function documentedPrismaFile(): string {
  const page = readFileSync(new URL('../../docs/context/prisma.md', import.meta.url), 'utf8');
  return /^```ts\n(\/\/ src\/lib\/prisma\.ts\n.*?)^```$/ms.exec(page)![1]!;
}

describe.runIf(isFull)('a production build of Next.js', () => {
  let web: WebApplication;
  beforeAll(async () => {
    web = await makeWebApplication(folder.path, { packages: 'next' }, registry.npmrc);
  });

  it.each(['turbopack', 'webpack'])('carries the context of a request, built by %s', async (bundler) => {
    await web.pnpm(['next', 'build', `--${bundler}`], { NEXT_TELEMETRY_DISABLED: '1' });
    const server = await startNext(web.folder, database.environment);
    onTestFinished(server.stop);
    const send = async (method: string, userId: string, body: object): Promise<string> => {
      const headers = { 'x-user-id': userId };
      const response = await fetch(`${server.url}/patients`, { method, headers, body: JSON.stringify(body) });
      return ((await response.json()) as { readonly id: string }).id;
    };
    const id = await send('POST', 'alice', patient);
    await send('DELETE', 'bob', { id });
    expect(await database.log(id)).toMatchObject([
      {
        operation: 'INSERT',
        after: { id, ...patient },
        context: { userId: 'alice', endpoint: 'POST /patients' },
      },
      { operation: 'DELETE', before: { id }, context: { userId: 'bob', endpoint: 'DELETE /patients' } },
    ]);
  });
});
