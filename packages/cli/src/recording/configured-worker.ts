import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import { createWorker, type Worker } from '@bemi-db/worker';
import type { Logger } from '@bemi-db/worker/logger';
import { bemiFolder, makeBemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration, ConfiguredSource } from '../configuration/configuration.ts';
import { openEmbedded } from '../embedded/embedded-audit-database.ts';
import { keepRunning } from '../embedded/keep-running.ts';
import { missingDestination } from '../trail-reading/audit-database.ts';

export interface ConfiguredWorkerOptions {
  readonly source: ConfiguredSource;
  readonly destination: Pick<Destination, 'url' | 'setWith'>;
  readonly logger: Logger;
}

/** Between two looks at what of the source is recorded. DDL that event triggers report is looked at within seconds. */
const coverageIntervalMs = 5 * 60 * 1_000;

/** The worker of a source that the settings describe. */
export function configuredWorker({ source, destination, logger }: ConfiguredWorkerOptions): Worker {
  const { checkpointUrl, checkpointToken, signingKey, encryptionKey, name, rules } = source;
  return createWorker({
    source: source.databaseUrl,
    sourceSetWith: source.urlSetWith,
    ...(name === undefined ? {} : { name }),
    destination: destination.url,
    destinationSetWith: destination.setWith,
    slot: source.slot,
    publication: source.publication,
    bufferSize: source.bufferSize,
    maximumRowBytes: source.maximumRowBytes,
    ...(source.isSet('BEMI_RETENTION_DAYS') ? { retentionDays: source.retentionDays } : {}),
    ...(rules ? { rules } : {}),
    stateDirectory: source.stateDirectory ?? makeBemiFolder(bemiFolder()).path,
    ...(checkpointUrl === undefined ? {} : { checkpointUrl }),
    publicationEnvironment: {
      ...process.env,
      ...(checkpointToken === undefined ? {} : { BEMI_CHECKPOINT_TOKEN: checkpointToken }),
    },
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
    coverageIntervalMs,
    logger,
  });
}

export interface Destination {
  readonly url: string | SecretConnection;
  /** What it was set with, for messages. */
  readonly setWith: string;
  close(): Promise<void>;
}

/** The audit database that the settings name, or an embedded one that runs until it is closed. */
export async function openDestination(
  { destinationUrl, find }: Configuration,
  isEmbedded: boolean,
  logger: Logger,
): Promise<Destination> {
  if (!isEmbedded) {
    if (destinationUrl === undefined) throw missingDestination();
    const setWith = find('BEMI_DESTINATION_URL')?.setWith ?? 'BEMI_DESTINATION_URL';
    parseConnectionString(destinationUrl, setWith);
    return { url: destinationUrl, setWith, close: async () => undefined };
  }
  const folder = bemiFolder();
  const embedded = await openEmbedded(folder);
  logger.info(
    { folder: '.bemi/postgres', port: embedded.port },
    'The audit database is an embedded PostgreSQL',
  );
  const kept = keepRunning(folder, embedded, (port) => {
    logger.warn({ port }, 'The embedded audit database was gone, and is started again');
  });
  return { url: embedded.url, setWith: '--embedded', close: () => kept.close() };
}
