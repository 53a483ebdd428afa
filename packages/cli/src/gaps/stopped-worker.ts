import { userInfo } from 'node:os';
import type { Worker } from '@bemi-db/worker';
import { usageError } from '../cli-error.ts';
import { loadConfiguration, requireSource } from '../configuration/configuration.ts';
import { meantSource } from '../connecting/meant-source.ts';
import { createLogger } from '../logging/create-logger.ts';
import { agree } from '../output/agreement.ts';
import { configuredWorker, openDestination } from '../recording/configured-worker.ts';

/** The flags that `bemi gap accept` and `bemi skip` have in common. */
export interface StatementFlags {
  readonly reason: string;
  readonly by?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
  readonly slot?: string;
  readonly publication?: string;
  readonly source?: string;
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

/** What was asked for is shown, and not wanted. */
export class DryRunEnd extends Error {
  override readonly name = 'DryRunEnd';
}

/**
 * Asks whether what was shown shall be done.
 *
 * @throws CliError when it shall not, DryRunEnd when it was only to be shown.
 */
export async function agreeUnless({ dryRun, yes }: StatementFlags, question: string): Promise<void> {
  if (dryRun) throw new DryRunEnd();
  if (!yes) await agree(question);
}

/** The worker of these settings, in the place of the one that is stopped. It says what goes wrong and nothing else. */
export async function withStoppedWorker(
  flags: StatementFlags,
  work: (worker: Worker) => Promise<void>,
): Promise<void> {
  const set = (text: string | undefined, setWith: string) =>
    text === undefined ? undefined : { text, setWith };
  const loaded = loadConfiguration({
    source: flags.source,
    flags: {
      BEMI_REPLICATION_SLOT: set(flags.slot, '--slot'),
      BEMI_PUBLICATION: set(flags.publication, '--publication'),
    },
  });
  const { source: name, slot, publication } = flags;
  const isEmbedded = flags.embedded === true;
  const configuration = await meantSource(loaded, { source: name, isEmbedded, slot, publication });
  const source = requireSource(configuration);
  const logger = createLogger('error');
  const destination = await openDestination(configuration, isEmbedded, logger);
  try {
    await work(configuredWorker({ source, destination, logger }));
  } catch (error) {
    if (!(error instanceof DryRunEnd)) throw error;
  } finally {
    await destination.close();
  }
}
