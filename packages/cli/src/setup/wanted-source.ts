import { randomBytes } from 'node:crypto';
import { parseConnectionString, urlTextOf } from '@bemi-db/source/connection-string';
import type { ProviderId } from '@bemi-db/source/providers/provider';
import type { Wanted } from '@bemi-db/source/source-snapshot';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { passwordOf } from './worker-url.ts';

/** What `bemi setup`, `bemi tables` and `bemi teardown` are told of a source, as it is typed. */
export interface SourceFlags {
  readonly adminUrl?: string;
  readonly provider?: ProviderId;
  readonly slot?: string;
  readonly publication?: string;
}

export function configurationWith(flags: SourceFlags): Configuration {
  return loadConfiguration({
    flags: {
      BEMI_REPLICATION_SLOT: flags.slot === undefined ? undefined : { text: flags.slot, setWith: '--slot' },
      BEMI_PUBLICATION:
        flags.publication === undefined ? undefined : { text: flags.publication, setWith: '--publication' },
    },
  });
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
