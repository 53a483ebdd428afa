import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import { createWorker, type Worker } from '@bemi-db/worker';
import type { Logger } from '@bemi-db/worker/logger';
import { bemiFolder, makeBemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { openEmbedded } from '../embedded/embedded-audit-database.ts';
import { keepRunning } from '../embedded/keep-running.ts';
import { missingDestination } from '../trail-reading/audit-database.ts';

export interface ConfiguredWorkerOptions {
  readonly configuration: Configuration;
  readonly source: string | SecretConnection;
  readonly destination: string | SecretConnection;
  readonly logger: Logger;
}

/** The worker that the settings describe. */
export function configuredWorker({
  configuration,
  source,
  destination,
  logger,
}: ConfiguredWorkerOptions): Worker {
  const { checkpointUrl, checkpointToken, signingKey, encryptionKey } = configuration;
  return createWorker({
    source,
    destination,
    slot: configuration.slot,
    publication: configuration.publication,
    bufferSize: configuration.bufferSize,
    maximumRowBytes: configuration.maximumRowBytes,
    ...(configuration.isSet('BEMI_RETENTION_DAYS') ? { retentionDays: configuration.retentionDays } : {}),
    stateDirectory: configuration.stateDirectory ?? makeBemiFolder(bemiFolder()).path,
    ...(checkpointUrl === undefined ? {} : { checkpointUrl }),
    publicationEnvironment: {
      ...process.env,
      ...(checkpointToken === undefined ? {} : { BEMI_CHECKPOINT_TOKEN: checkpointToken }),
    },
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
    logger,
  });
}

export interface Destination {
  readonly url: string | SecretConnection;
  close(): Promise<void>;
}

/** The audit database that the settings name, or an embedded one that runs until it is closed. */
export async function openDestination(
  { destinationUrl }: Configuration,
  isEmbedded: boolean,
  logger: Logger,
): Promise<Destination> {
  if (!isEmbedded) {
    if (destinationUrl === undefined) throw missingDestination();
    parseConnectionString(destinationUrl, 'BEMI_DESTINATION_URL');
    return { url: destinationUrl, close: async () => undefined };
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
  return { url: embedded.url, close: () => kept.close() };
}
