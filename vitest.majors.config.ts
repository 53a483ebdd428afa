import { defineConfig } from 'vitest/config';
import { effort } from './packages/test-kit/src/effort.ts';
import { currentMajor, olderMajors } from './packages/test-kit/src/older-server.ts';
import { onEachMajor } from './vitest.config.ts';

// With TEST_EFFORT=full also what injects faults, which takes minutes on each.
const faults = effort(0, 1) === 1 ? ['lifecycle', 'exactly-once', 'failpoints'] : [];

/** All that has to do with capturing changes, on every major that changes are captured from. */
// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    maxWorkers: 4,
    projects: onEachMajor(
      [...olderMajors, currentMajor],
      [
        `packages/worker/src/{${['capture', 'fidelity-*', 'context-triggers', 'actor', 'published-clients', 'ddl', 'coverage', ...faults].join(',')}}.pg.test.ts`,
        'packages/context/src/*.pg.test.ts',
        'packages/source/src/{ddl/*,check-operation}.pg.test.ts',
      ],
    ),
  },
});
