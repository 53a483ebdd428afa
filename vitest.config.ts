import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

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

// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    maxWorkers: 2,
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
          name: 'postgres',
          include: ['{packages,examples,bench}/**/*.pg.test.ts'],
          globalSetup: ['packages/test-kit/src/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
