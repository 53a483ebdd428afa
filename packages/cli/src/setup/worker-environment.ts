import { type ConnectionTarget, parseConnectionString, urlTextOf } from '@bemi-db/source/connection-string';
import type { Wanted } from '@bemi-db/source/source-snapshot';
import {
  type BemiFolder,
  bemiFolder,
  makeBemiFolder,
  readFileIfAny,
  writeSecretFile,
} from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { updateEnvironmentFile } from '../configuration/environment-file.ts';
import { isSameDatabase, urlAs } from './worker-url.ts';

export interface WorkerEnvironmentFacts {
  readonly configuration: Configuration;
  readonly adminUrl: string;
  readonly admin: ConnectionTarget;
  readonly wanted: Wanted;
  /** Whether this run made the role, so that its password is known. */
  readonly isRoleNew: boolean;
}

export interface WrittenEnvironment {
  /** `written`, or `unchanged` when the file said all this already. */
  readonly file: 'written' | 'unchanged';
  /** Whom the worker connects as; `undefined` when that is not known here. */
  readonly workerRole: string | undefined;
  /** Whether BEMI_DATABASE_URL is in the environment with another role, and goes before the file. */
  readonly isOverridden: boolean;
}

/** First line of a new file. */
export const environmentHeading =
  '# For the worker, written by bemi setup. Variables of the environment go before these.\n';

/** Writes to `.bemi/worker.env` what the worker needs to connect. What else is in the file stays. */
export function writeWorkerEnvironment(
  facts: WorkerEnvironmentFacts,
  folder: BemiFolder = bemiFolder(),
): WrittenEnvironment {
  const { configuration, wanted } = facts;
  const url = workerUrl(facts);
  // Where the password is in a file or comes by a command, it stays there alone.
  const isElsewhere = typeof configuration.databaseUrl === 'object' && configuration.databaseUrl.url === url;
  const existing = readFileIfAny(folder.workerEnvironment);
  const text = updateEnvironmentFile(existing ?? environmentHeading, {
    ...(url === undefined || isElsewhere ? {} : { BEMI_DATABASE_URL: url }),
    BEMI_REPLICATION_SLOT: configuration.slot,
    BEMI_PUBLICATION: configuration.publication,
  });
  if (text !== existing) {
    makeBemiFolder(folder);
    writeSecretFile(folder.workerEnvironment, text);
  }
  const inEnvironment = process.env['BEMI_DATABASE_URL'];
  return {
    isOverridden: url !== undefined && !!inEnvironment && inEnvironment !== url,
    file: text === existing ? 'unchanged' : 'written',
    workerRole:
      url === undefined
        ? undefined
        : (wanted.role?.name ?? parseConnectionString(url, 'BEMI_DATABASE_URL').target.role),
  };
}

function workerUrl({
  configuration,
  adminUrl,
  admin,
  wanted,
  isRoleNew,
}: WorkerEnvironmentFacts): string | undefined {
  const databaseUrl = configuration.databaseUrl && urlTextOf(configuration.databaseUrl);
  const configured =
    databaseUrl === undefined ? undefined : parseConnectionString(databaseUrl, 'BEMI_DATABASE_URL').target;
  const isConfigured = configured !== undefined && isSameDatabase(configured, admin);
  if (!wanted.role) return isConfigured ? databaseUrl : adminUrl;
  if (isRoleNew) return urlAs(adminUrl, wanted.role.name, wanted.role.password ?? '');
  // It existed: only whoever made it knows its password.
  return isConfigured && configured.role === wanted.role.name ? databaseUrl : undefined;
}
