import { parseConnectionString } from '@bemi-db/source/connection-string';
import type { AddedSource } from '@bemi-db/trail/added-sources/added-sources';
import { CliError } from '../cli-error.ts';
import {
  type Configuration,
  type ConfiguredSource,
  loadConfiguration,
} from '../configuration/configuration.ts';
import { nearestName } from '../configuration/nearest-name.ts';
import { type OpenedSource, openAddedSources } from './added-sources.ts';

/** The configuration with the settings of the source that is meant. */
export interface MeantConfiguration extends Configuration {
  /** Where that was added in the dashboard. */
  readonly added: AddedSource | undefined;
}

export interface SourceChoice {
  /** `--source` */
  readonly source?: string | undefined;
  readonly isEmbedded?: boolean;
  /** `--slot`, `--publication` */
  readonly slot?: string | undefined;
  readonly publication?: string | undefined;
  /** Whether the command is told otherwise how to connect, by `--admin-url`. */
  readonly hasConnection?: boolean;
}

/**
 * The source that `--source` names: one of the configuration, else one that was added in the dashboard. Without a name what
 * the configuration says.
 *
 * @throws CliError where there is none of that name, or its connection can't be opened.
 */
export async function meantSource(
  configuration: Configuration,
  { source: name, isEmbedded = false, slot, publication, hasConnection = false }: SourceChoice,
): Promise<MeantConfiguration> {
  const asConfigured = { ...configuration, added: undefined };
  if (name === undefined || isConfigured(configuration, name)) return asConfigured;
  const others: string[] = [];
  let found: OpenedSource | undefined;
  try {
    [found] = await openAddedSources({ configuration, isEmbedded }, (added) => {
      others.push(added.name);
      return added.name === name;
    });
  } catch (error) {
    if (!hasConnection) throw error;
  }
  if (!found && hasConnection) return asConfigured;
  if (!found) throw unknownSource(name, [...configuration.sources.map(nameOf), ...others]);
  if (found.problem !== undefined && !hasConnection) throw found.problem;
  const given = {
    ...(slot === undefined ? {} : { slot }),
    ...(publication === undefined ? {} : { publication }),
  };
  const { source } = found.configuration;
  return {
    ...{ ...found.configuration, ...given, added: found.added },
    source: source && { ...source, ...given },
  };
}

/** A source that a command looks at. */
export interface Subject {
  /** Of its log; `undefined` where nothing tells. */
  readonly name: string | undefined;
  /** As `--source` names it; `undefined` where its configuration tells which log is meant. */
  readonly source: string | undefined;
  readonly configuration: Configuration;
  /** Why an added one can't be connected to. */
  readonly problem: unknown;
}

/** All that are configured or were added in the dashboard, or the one that is named. Where none is, what is configured. */
export async function subjects(
  configuration: Configuration,
  { source: named, isEmbedded = false }: SourceChoice,
): Promise<readonly Subject[]> {
  const { sources } = configuration;
  const isEach = named === undefined && sources.length > 1;
  const configured = isEach
    ? sources.map((source) => ({
        name: nameOf(source),
        configuration: loadConfiguration({ source: source.name }),
      }))
    : [{ name: named ?? sources.map(nameOf)[0], configuration }];
  // Whoever looks at the audit database says why it can't be read.
  const added = await openAddedSources({ configuration, isEmbedded }, ({ name }) =>
    named === undefined
      ? !isConfigured(configuration, name)
      : name === named && !isConfigured(configuration, name),
  ).catch(() => []);
  const isConfiguredMeant = added.length === 0 || (named === undefined && sources.length > 0);
  return [
    ...(isConfiguredMeant ? configured.map((each) => ({ ...each, source: named, problem: undefined })) : []),
    ...added.map(({ added: { name }, configuration: own, problem }) => ({
      ...{ name, source: name, configuration: own, problem },
    })),
  ];
}

function isConfigured({ sources }: Configuration, name: string): boolean {
  return sources.some((source) => nameOf(source) === name);
}

function nameOf({ name, databaseUrl, urlSetWith }: ConfiguredSource): string {
  return name ?? parseConnectionString(databaseUrl, urlSetWith).target.database;
}

function unknownSource(name: string, names: readonly string[]): CliError {
  const nearest = nearestName(name, names);
  return new CliError(
    2,
    'unknown-source',
    `There is no source ${name}, neither in the configuration nor among those that were added in the dashboard`,
    names.length === 0
      ? 'There is none at all: set BEMI_DATABASE_URL, or add one in the dashboard (bemi start).'
      : `Name another by --source ${nearest ?? names[0]}${names.length > 1 ? `; there are ${names.join(', ')}` : ''}.`,
  );
}
