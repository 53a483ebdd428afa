import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { driverPath, olderPgVersions } from './packages/test-kit/src/drivers.ts';
import { effort } from './packages/test-kit/src/effort.ts';
import { LongFilesFirst } from './packages/test-kit/src/long-files-first.ts';
import { currentMajor, olderMajors } from './packages/test-kit/src/older-server.ts';

const packages = fileURLToPath(new URL('packages/', import.meta.url));

// Tests run on the sources. A package's own entry is the file that its "exports" name.
const entries = {
  context: 'context',
  prisma: 'prisma',
  worker: 'create-worker',
  'embedded-postgres': 'server',
};
const alias = [
  ...Object.entries(entries).map(([name, file]) => ({
    find: new RegExp(`^@bemi-db/${name}$`),
    replacement: `${packages}${name}/src/${file}.ts`,
  })),
  { find: /^@bemi-db\/([a-z-]+)\/(.+)$/, replacement: `${packages}$1/src/$2.ts` },
];

/** Twice as many as a small machine has cores: tests wait for servers, timers and networks half of the time. */
const maxWorkers = 4;

/** Tests on a PostgreSQL server that they share. */
function onPostgres(
  name: string,
  postgresMajor: number,
  include: readonly string[],
  moreAliases: typeof alias = [],
): TestProjectInlineConfiguration {
  return {
    resolve: { alias: [...moreAliases, ...alias] },
    test: {
      name,
      include: [...include],
      globalSetup: ['packages/test-kit/src/global-setup.ts'],
      provide: { postgresMajor },
      testTimeout: effort(60_000, 600_000),
      hookTimeout: 60_000,
      maxWorkers,
    },
  };
}

/** Projects `postgres-12` to `postgres-18`, as far as this platform has them. */
export function onEachMajor(
  majors: readonly number[],
  include: readonly string[],
): TestProjectInlineConfiguration[] {
  return majors.map((major) => onPostgres(`postgres-${major}`, major, include));
}

/** Tests of what wraps `pg`, on an older version of it. */
function onOlderPg(name: string): TestProjectInlineConfiguration {
  return onPostgres(
    name,
    currentMajor,
    ['packages/context/src/pg*.pg.test.ts'],
    [{ find: /^pg$/, replacement: driverPath(name) }],
  );
}

// What differs between majors: types, options of the stream, of slots and publications. vitest.majors.config.ts has more.
const mostTelling = ['types', 'user-types', 'generated'].map(
  (name) => `packages/worker/src/fidelity-${name}.pg.test.ts`,
);

// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    maxWorkers,
    sequence: { sequencer: LongFilesFirst },
    projects: [
      {
        resolve: { alias },
        test: {
          name: 'pure',
          include: ['{packages,examples}/**/src/**/*.test.ts'],
          exclude: ['**/*.pg.test.ts', '**/node_modules/**'],
          testTimeout: 30_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'pages',
          include: ['packages/**/*.page.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'packed',
          include: ['packaging/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      onPostgres('postgres', currentMajor, ['{packages,examples,bench,soak}/**/*.pg.test.ts']),
      ...olderPgVersions.map(onOlderPg),
      ...onEachMajor(olderMajors, [...mostTelling, 'packages/worker/src/capture.pg.test.ts']),
    ],
  },
});
