import { type ConnectionTarget, parseConnectionString, urlTextOf } from '@bemi-db/source/connection-string';
import {
  type BemiFolder,
  bemiFolder,
  makeBemiFolder,
  readFileIfAny,
  writeSecretFile,
} from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { updateEnvironmentFile } from '../configuration/environment-file.ts';
import { environmentHeading } from './worker-environment.ts';
import { isSameDatabase, passwordOf } from './worker-url.ts';

export interface WrittenDestination {
  readonly file: 'written' | 'unchanged';
  /** Whether BEMI_DESTINATION_URL is in the environment with another value, and goes before the file. */
  readonly isOverridden: boolean;
}

/**
 * Writes to `.bemi/worker.env` where the worker records to, and as whom. What else is in the file stays.
 *
 * @param accountsUrl - where the dashboard keeps its accounts, where that is known.
 */
export function writeDestination(
  url: string,
  accountsUrl: string | undefined,
  folder: BemiFolder = bemiFolder(),
): WrittenDestination {
  const existing = readFileIfAny(folder.workerEnvironment);
  const text = updateEnvironmentFile(existing ?? environmentHeading, {
    BEMI_DESTINATION_URL: url,
    ...(accountsUrl === undefined ? {} : { BEMI_ACCOUNTS_URL: accountsUrl }),
  });
  if (text !== existing) {
    makeBemiFolder(folder);
    writeSecretFile(folder.workerEnvironment, text);
  }
  const inEnvironment = process.env['BEMI_DESTINATION_URL'];
  return {
    file: text === existing ? 'unchanged' : 'written',
    isOverridden: !!inEnvironment && inEnvironment !== url,
  };
}

/** The URL that is configured, if it names this database and this role. */
export function configuredAs(
  role: string,
  { destinationUrl }: Configuration,
  admin: ConnectionTarget,
): { readonly url: string; readonly password: string | undefined } | undefined {
  if (destinationUrl === undefined) return undefined;
  const { target } = parseConnectionString(destinationUrl, 'BEMI_DESTINATION_URL');
  if (!isSameDatabase(target, admin) || target.role !== role) return undefined;
  const url = urlTextOf(destinationUrl);
  return { url, password: passwordOf(url) };
}
