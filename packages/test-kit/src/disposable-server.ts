import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type PostgresOptions, type PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';
import { newCluster, newClusterFolder } from './new-cluster.ts';

/**
 * Starts a server for a test, and deletes it when it is stopped. New clusters are copies of one: never let one be the
 * source and another one the audit database.
 */
export async function startDisposableServer(
  options: Omit<PostgresOptions, 'dataDirectory' | 'disposable'> = {},
): Promise<PostgresServer> {
  const isAsInstalled = options.binaries === undefined && options.encoding === undefined;
  const dataDirectory = isAsInstalled ? await newCluster() : newClusterFolder();
  const server = await startPostgres({ ...options, dataDirectory, disposable: true });
  return {
    ...server,
    async stop(mode) {
      await server.stop(mode);
      rmSync(dirname(dataDirectory), { recursive: true, force: true });
    },
  };
}
