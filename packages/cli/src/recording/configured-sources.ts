import { parseConnectionString } from '@bemi-db/source/connection-string';
import { configurationError } from '../cli-error.ts';
import type { Configuration, ConfiguredSource } from '../configuration/configuration.ts';

/**
 * The sources to be recorded that the configuration names; perhaps none. What is wrong with how they are named is said before anything is started.
 *
 * @throws CliError
 */
export function configuredSources(configuration: Configuration): readonly ConfiguredSource[] {
  const { sources, file, ambiguous } = configuration;
  if (ambiguous) {
    throw configurationError(
      `${ambiguous.setWith} is set, and ${file?.name} has several sources`,
      'Unset it: what belongs to a source stands in the file then.',
    );
  }
  refuseSharedSlots(configuration);
  return sources;
}

/** A slot belongs to one database, and its name to the whole server. */
export function refuseSharedSlots({ sources, file }: Configuration): void {
  const slots = new Map<string, ConfiguredSource>();
  for (const source of sources) {
    const { host, port } = parseConnectionString(source.databaseUrl, source.urlSetWith).target;
    const place = `${source.slot} of ${host}:${port}`;
    const other = slots.get(place);
    if (other) {
      throw configurationError(
        `The sources ${other.name} and ${source.name} have the same replication slot, ${place}`,
        `Each source of ${file?.name} needs its own, such as slot: bemi_${source.name}`,
      );
    }
    slots.set(place, source);
  }
}
