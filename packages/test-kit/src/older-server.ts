import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type PostgresOptions, type PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';

/**
 * Starts a PostgreSQL of an older major, which `npm run test:servers` has installed.
 *
 * @param major - 13 or 15.
 */
export function startOlderPostgres(major: 13 | 15, options: PostgresOptions = {}): Promise<PostgresServer> {
  const name = `postgresql-${major}-${process.platform}-${process.arch}`;
  const binaries = fileURLToPath(new URL(`../servers/node_modules/${name}/native`, import.meta.url));
  if (!existsSync(binaries)) throw new Error(`PostgreSQL ${major} is not installed: npm run test:servers`);
  return startPostgres({ disposable: true, ...options, binaries });
}
