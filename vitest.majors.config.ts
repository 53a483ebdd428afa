import { defineConfig } from 'vitest/config';
import { currentMajor, olderMajors } from './packages/test-kit/src/older-server.ts';
import { onEachMajor } from './vitest.config.ts';

/** All that has to do with capturing changes, on every major that changes are captured from. */
// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: onEachMajor(
      [...olderMajors, currentMajor],
      ['packages/worker/src/{capture,fidelity-*}.pg.test.ts'],
    ),
  },
});
