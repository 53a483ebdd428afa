import { CliError } from '../cli-error.ts';

/** What the demo uses of the example application. */
export interface ExampleClinic {
  readonly migrate: typeof import('@bemi-db/example-clinic/migrate').migrate;
  readonly startClinic: typeof import('@bemi-db/example-clinic/server').startClinic;
  readonly playTraffic: typeof import('@bemi-db/example-clinic/traffic').playTraffic;
  readonly createPrisma: typeof import('@bemi-db/example-clinic/lib/prisma').createPrisma;
  readonly testBemi: typeof import('@bemi-db/example-clinic/test-bemi').testBemi;
}

/**
 * Loads the example application. It is a package of its own, with Prisma and Express: everything else of the command
 * line works without it.
 *
 * @throws CliError where it is not there, or not built.
 */
export async function loadExampleClinic(): Promise<ExampleClinic> {
  try {
    const [{ migrate }, { startClinic }, { playTraffic }, { createPrisma }, { testBemi }] = await Promise.all(
      [
        import('@bemi-db/example-clinic/migrate'),
        import('@bemi-db/example-clinic/server'),
        import('@bemi-db/example-clinic/traffic'),
        import('@bemi-db/example-clinic/lib/prisma'),
        import('@bemi-db/example-clinic/test-bemi'),
      ],
    );
    return { migrate, startClinic, playTraffic, createPrisma, testBemi };
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new CliError(
      1,
      'no-example',
      'The example application that the demo runs is not installed',
      'npm install @bemi-db/example-clinic, next to @bemi-db/cli. In a clone of the repository: npm ci && npm run demo',
      { cause },
    );
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
