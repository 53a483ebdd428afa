import { type AccessRecorder, createAccessRecorder } from '@bemi-db/worker/access/access-recorder';
import type { Logger } from '@bemi-db/worker/logger';
import { bemiFolder, makeBemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { Destination } from './configured-worker.ts';

/** What records the accesses of the audit database, by what the settings say for all sources. */
export function configuredAccessRecorder(
  configuration: Configuration,
  destination: Pick<Destination, 'url' | 'setWith'>,
  logger: Logger,
): AccessRecorder {
  const { checkpointUrl, checkpointToken, signingKey, stateDirectory, retentionDays, isSet } = configuration;
  return createAccessRecorder({
    destination: destination.url,
    destinationSetWith: destination.setWith,
    stateDirectory: stateDirectory ?? makeBemiFolder(bemiFolder()).path,
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(checkpointUrl === undefined ? {} : { checkpointUrl }),
    publicationEnvironment: {
      ...process.env,
      ...(checkpointToken === undefined ? {} : { BEMI_CHECKPOINT_TOKEN: checkpointToken }),
    },
    ...(isSet('BEMI_RETENTION_DAYS') ? { retentionDays } : {}),
    logger,
  });
}
