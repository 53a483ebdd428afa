import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { PostgresOptions, PostgresServer } from '@bemi-db/embedded-postgres';
import { startDisposableServer } from './disposable-server.ts';

/** The major that the workspace itself installs, and that tests run on where nothing else is said. */
export const currentMajor = 18;

export type OlderMajor = 12 | 13 | 14 | 15 | 16 | 17;

const servers = fileURLToPath(new URL('../servers/', import.meta.url));

/** The older majors that exist for this platform: all on Linux x64, those from 15 on macOS and on Linux arm64. */
export const olderMajors: readonly OlderMajor[] = ([12, 13, 14, 15, 16, 17] as const).filter(
  (major) => packageName(major) in wantedPackages(),
);

/**
 * Starts a PostgreSQL of an older major, which `npm run test:servers` has installed.
 */
export function startOlderPostgres(
  major: OlderMajor,
  options: Pick<PostgresOptions, 'settings'> = {},
): Promise<PostgresServer> {
  if (!olderMajors.includes(major)) {
    throw new Error(`No PostgreSQL ${major} comes from npm for ${process.platform}-${process.arch}`);
  }
  const binaries = `${servers}node_modules/${packageName(major)}/native`;
  if (!existsSync(binaries)) throw new Error(`PostgreSQL ${major} is not installed: npm run test:servers`);
  return startDisposableServer({ ...options, binaries });
}

function packageName(major: OlderMajor): string {
  return `postgresql-${major}-${process.platform}-${process.arch}`;
}

function wantedPackages(): Readonly<Record<string, string>> {
  const { optionalDependencies } = JSON.parse(readFileSync(`${servers}package.json`, 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  return optionalDependencies;
}
