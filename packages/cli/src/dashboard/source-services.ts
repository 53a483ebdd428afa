import type { RecordedState, SourceServices } from '@bemi-db/dashboard/server/sources/source-services';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import type { Configuration } from '../configuration/configuration.ts';
import { addedSourceKey } from '../recording/added-source-key.ts';

/**
 * What the dashboard's pages of data sources need of this process.
 *
 * @param recorded - what this process records, where it does.
 */
export function sourceServices(
  configuration: Configuration,
  recorded: (() => ReadonlyMap<string, RecordedState>) | undefined,
): SourceServices {
  const { sources, file, encryptionKey } = configuration;
  // A key that is kept beside this process is not the worker's, where that is another process.
  const hasKey = recorded !== undefined || encryptionKey !== undefined;
  return {
    configured: sources.map((source) => {
      const { databaseUrl, urlSetWith, slot, publication, bufferSize, retentionDays } = source;
      const name = source.name ?? parseConnectionString(databaseUrl, urlSetWith).target.database;
      const configuredWith = source.name === undefined ? urlSetWith : (file?.name ?? urlSetWith);
      return {
        ...{ name, connection: databaseUrl, configuredWith, urlSetWith },
        ...{ slot, publication, bufferSize, retentionDays },
      };
    }),
    key: hasKey
      ? () => addedSourceKey(configuration)
      : 'This process does not record, and has no key in common with the worker. Set the same BEMI_ENCRYPTION_KEY for both, or use the dashboard of bemi start.',
    ...(recorded ? { recorded } : {}),
  };
}
