import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, longest first. Vitest knows durations of earlier runs alone, and on a clean clone goes
 * by the size of files: a long one that it begins last keeps one core busy while the other has nothing left to do.
 */
const longFiles = [
  'bench/src/benchmarks.pg.test.ts',
  'worker/src/tampering.pg.test.ts',
  'worker/src/failpoints.pg.test.ts',
  'worker/src/faults-connections.pg.test.ts',
  'worker/src/faults-servers.pg.test.ts',
  'worker/src/faults-history.pg.test.ts',
  'worker/src/lifecycle.pg.test.ts',
  'context/frameworks/frameworks.pg.test.ts',
  'packaging/guide/guide.test.ts',
  'cli/src/gaps/disaster-recovery.pg.test.ts',
  'worker/src/exactly-once.pg.test.ts',
  'cli/src/verification/verify.pg.test.ts',
  'worker/src/rules.pg.test.ts',
  'cli/src/doctor/troubleshooting.pg.test.ts',
  'soak/src/soak.pg.test.ts',
  'dashboard/src/web/pages.pg.test.ts',
  'cli/src/recording/several-sources.pg.test.ts',
  'cli/src/doctor/doctor-checks.pg.test.ts',
  'cli/src/demo/run-demo.pg.test.ts',
  'cli/src/signing-keys/signing-keys.pg.test.ts',
  'cli/src/recording/guides.pg.test.ts',
  'context/contract/contract.pg.test.ts',
  'worker/src/faults-disk.pg.test.ts',
  'cli/src/doctor/full-disk.pg.test.ts',
  'context/contract/postgres-statements.pg.test.ts',
];

/** Orders a run so that it has no long tail. */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      const index = longFiles.findIndex((file) => moduleId.endsWith(`/${file}`));
      // The same file on another version of something is a short form.
      const isMain = project.name === 'postgres' || project.name === 'packed';
      return index === -1 || !isMain ? longFiles.length : index;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => place(a) - place(b));
  }
}
