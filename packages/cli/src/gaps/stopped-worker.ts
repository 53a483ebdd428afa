import { userInfo } from 'node:os';
import type { Worker } from '@bemi-db/worker';
import { usageError } from '../cli-error.ts';
import { loadConfiguration, requireDatabaseUrl } from '../configuration/configuration.ts';
import { createLogger } from '../logging/create-logger.ts';
import { configuredWorker, openDestination } from '../recording/configured-worker.ts';

/** The flags that `bemi gap accept` and `bemi skip` have in common. */
export interface StatementFlags {
  readonly reason: string;
  readonly by?: string;
  readonly yes?: true;
  readonly json?: true;
  readonly slot?: string;
  readonly publication?: string;
  readonly embedded?: true;
}

/** What stays in the log. */
export function statementOf({ reason, by }: StatementFlags): { reason: string; by: string } {
  const statement = { reason: reason.trim(), by: (by ?? userInfo().username).trim() };
  if (statement.reason === '' || statement.by === '') {
    throw usageError('The reason is empty', 'Say why, and who answers for it: both stay in the log.');
  }
  return statement;
}

/** The worker of these settings, in the place of the one that is stopped. It says what goes wrong and nothing else. */
export async function withStoppedWorker(
  flags: StatementFlags,
  work: (worker: Worker) => Promise<void>,
): Promise<void> {
  const set = (text: string | undefined, setWith: string) =>
    text === undefined ? undefined : { text, setWith };
  const configuration = loadConfiguration({
    flags: {
      BEMI_REPLICATION_SLOT: set(flags.slot, '--slot'),
      BEMI_PUBLICATION: set(flags.publication, '--publication'),
    },
  });
  const source = requireDatabaseUrl(configuration);
  const logger = createLogger('error');
  const destination = await openDestination(configuration, flags.embedded === true, logger);
  try {
    await work(configuredWorker({ configuration, source, destination: destination.url, logger }));
  } finally {
    await destination.close();
  }
}
