import { rmSync } from 'node:fs';
import { type PostgresOptions, startPostgres } from '@bemi-db/embedded-postgres';
import type { TestProject } from 'vitest/node';
import { makeRunFolder, newFolder } from './disposable-folder.ts';
import { newClusterFolder } from './new-cluster.ts';
import { currentMajor, olderMajors, startOlderPostgres } from './older-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of the server that all tests of a run share. */
    postgresUrl: string;
    /** The major version of that server, by the configuration of the project. */
    postgresMajor: number;
  }
}

/** Starts the one PostgreSQL server of a project's tests, and stops it when the run ends. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { postgresMajor } = project.getProvidedContext();
  if (process.env['TEST_FOLDER'] === undefined) makeRunFolder();
  const options: Pick<PostgresOptions, 'settings'> = {
    settings: {
      wal_level: 'logical',
      max_connections: '300',
      max_wal_senders: '60',
      max_replication_slots: '60',
      max_prepared_transactions: '20',
      // Half-open connections of killed workers must not hold a slot for a minute.
      wal_sender_timeout: '10s',
    },
  };
  const older = olderMajors.find((major) => major === postgresMajor);
  if (older === undefined && postgresMajor !== currentMajor)
    throw new Error(`No PostgreSQL ${postgresMajor} to test on`);
  const server =
    older === undefined
      ? await startPostgres({ ...options, dataDirectory: newClusterFolder(), disposable: true })
      : await startOlderPostgres(older, options);
  project.provide('postgresUrl', server.url());
  // Every worker of a run keeps its key and its memory here, those in processes of their own too.
  const stateDirectory = newFolder('state');
  process.env['BEMI_STATE_DIR'] = stateDirectory;
  return async () => {
    await server.stop('immediate');
    rmSync(stateDirectory, { recursive: true, force: true });
  };
}
