import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import { poolerFix } from '@bemi-db/source/providers/recognise';
import { configurationError } from '../cli-error.ts';
import type { Configuration } from '../configuration/configuration.ts';
import type { SourceFlags } from './wanted-source.ts';

export interface AdminConnection {
  readonly url: string | SecretConnection;
  /** What it was set with, for messages. */
  readonly setWith: string;
}

/**
 * Whom a command prepares a source as: `--admin-url`, else the worker's own role.
 *
 * @throws CliError where there is neither, or the URL leads to a pooler, through which the worker could not replicate.
 */
export function adminConnection(
  flags: SourceFlags,
  { databaseUrl, source }: Configuration,
  command: string,
): AdminConnection {
  const url = flags.adminUrl ?? databaseUrl;
  if (url === undefined) {
    throw configurationError(
      'No source database is named',
      `Name it as a superuser or its administrator: bemi ${command} --admin-url postgres://postgres:password@host:5432/database`,
    );
  }
  const setWith = flags.adminUrl === undefined ? (source?.urlSetWith ?? 'BEMI_DATABASE_URL') : '--admin-url';
  const { target } = parseConnectionString(url, setWith);
  const fix = poolerFix(target);
  if (fix !== undefined) {
    throw configurationError(`${setWith} leads to a pooler (${target.host}:${target.port})`, fix);
  }
  return { url, setWith };
}
