import { randomBytes } from 'node:crypto';
import { parseConnectionString, urlTextOf } from '@bemi-db/source/connection-string';
import type { ProviderId } from '@bemi-db/source/providers/provider';
import type { Wanted } from '@bemi-db/source/source-snapshot';
import { CliError, configurationError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { type MeantConfiguration, meantSource } from '../connecting/meant-source.ts';
import { passwordOf } from './worker-url.ts';

/** What `bemi setup`, `bemi tables` and `bemi teardown` are told of a source, as it is typed. */
export interface SourceFlags {
  readonly adminUrl?: string;
  readonly provider?: ProviderId;
  readonly slot?: string;
  readonly publication?: string;
  /** One of several, configured or added in the dashboard. */
  readonly source?: string;
}

/** @throws CliError where there are several sources, and it isn't clear which one is meant. */
export async function configurationWith(flags: SourceFlags): Promise<MeantConfiguration> {
  const loaded = loadConfiguration({
    source: flags.source,
    flags: {
      BEMI_REPLICATION_SLOT: flags.slot === undefined ? undefined : { text: flags.slot, setWith: '--slot' },
      BEMI_PUBLICATION:
        flags.publication === undefined ? undefined : { text: flags.publication, setWith: '--publication' },
    },
  });
  const { source: name, slot, publication, adminUrl } = flags;
  const hasConnection = adminUrl !== undefined;
  const configuration = await meantSource(loaded, { source: name, slot, publication, hasConnection });
  if (configuration.added) return configuration;
  const { ambiguous, file, source } = configuration;
  if (!file || file.sources.length < 2) return configuration;
  if (!source) {
    const names = file.sources.map(({ name }) => name).join(', ');
    throw new CliError(
      2,
      'several-sources',
      `${file.name} has several sources: ${names}`,
      'Say which one by --source NAME.',
    );
  }
  if (!ambiguous) return configuration;
  throw configurationError(
    `${ambiguous.setWith} is of one source, and ${file.name} has several`,
    `Write it into ${file.name}, below the source.`,
  );
}

/** The role that the worker shall connect as. One that it is configured to use keeps its password; another gets a random one. */
export function wantedRole(
  name: string | undefined,
  databaseUrl: Configuration['databaseUrl'],
): Pick<Wanted, 'role'> {
  if (name === undefined) return {};
  const configured =
    databaseUrl !== undefined && parseConnectionString(databaseUrl, 'BEMI_DATABASE_URL').target.role === name
      ? passwordOf(urlTextOf(databaseUrl))
      : undefined;
  return { role: { name, password: configured ?? randomBytes(24).toString('base64url') } };
}
