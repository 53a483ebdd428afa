import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@bemi-db/embedded-postgres';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser URL of the server that all tests of a run share. */
    postgresUrl: string;
  }
}

/** Starts the one PostgreSQL server of a test run, and stops it when the run ends. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres({
    disposable: true,
    settings: {
      wal_level: 'logical',
      max_connections: '300',
      max_wal_senders: '60',
      max_replication_slots: '60',
      max_prepared_transactions: '20',
      // Half-open connections of killed workers must not hold a slot for a minute.
      wal_sender_timeout: '10s',
    },
  });
  project.provide('postgresUrl', server.url());
  // Every worker of a run keeps its key and its memory here, those in processes of their own too.
  const stateDirectory = mkdtempSync(join(tmpdir(), 'bemi-state-'));
  process.env['BEMI_STATE_DIR'] = stateDirectory;
  return async () => {
    await server.stop('immediate');
    rmSync(stateDirectory, { recursive: true, force: true });
  };
}
