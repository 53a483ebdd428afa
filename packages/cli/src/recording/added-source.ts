import type { AddedSource } from '@bemi-db/trail/added-sources/added-sources';
import type { Configuration, ConfiguredSource } from '../configuration/configuration.ts';

/** A source that was added in the dashboard, with what the settings say for all sources. */
export function configuredFromAdded(
  { common, isSet }: Configuration,
  { name, slot, publication, bufferSize, retentionDays }: AddedSource,
  url: string,
): ConfiguredSource {
  return {
    ...common,
    ...{ name, slot, publication, bufferSize, retentionDays },
    databaseUrl: url,
    urlSetWith: `the connection string of ${name}`,
    // Those that its log has: whoever may asks for others.
    rules: undefined,
    isSet: (setting) => setting === 'BEMI_RETENTION_DAYS' || isSet(setting),
  };
}
