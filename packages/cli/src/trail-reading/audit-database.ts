import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import { connect } from '@bemi-db/worker/connections';
import pg from 'pg';
import { CliError, configurationError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { explained } from '../connecting/explained.ts';
import { hasEmbedded, openEmbedded } from '../embedded/embedded-audit-database.ts';

export interface AuditDatabaseChoice {
  readonly configuration: Configuration;
  /** `--embedded`. */
  readonly isEmbedded: boolean;
}

/** The audit database as commands that only read it use it. */
export interface AuditDatabase {
  /** Its transactions are read-only. */
  readonly client: pg.Client;
  /** `role@host:port/database`, without the password; for the embedded one, where it lies. */
  readonly name: string;
  /** For further connections. Holds the password: never log it. */
  readonly url: string | SecretConnection;
}

const sqlStateInsufficientPrivilege = '42501';

/**
 * Connects to the audit database, reads, and closes: the one that is configured, else the embedded one in `./.bemi`.
 *
 * @throws ProblemError when it can't be reached; CliError when none is configured, or the role may not read it.
 */
export async function readingAuditDatabase<T>(
  choice: AuditDatabaseChoice,
  work: (database: AuditDatabase) => Promise<T>,
): Promise<T> {
  const { configuration, isEmbedded } = choice;
  const folder = bemiFolder();
  if (!isEmbedded && configuration.destinationUrl !== undefined) {
    return await connected(configuration.destinationUrl, undefined, work);
  }
  if (!isEmbedded && !hasEmbedded(folder)) throw missingDestination();
  const embedded = await openEmbedded(folder);
  try {
    return await connected(embedded.url, `embedded, in .bemi/postgres (port ${embedded.port})`, work);
  } finally {
    await embedded.close();
  }
}

/** Both ways out. */
export function missingDestination(): CliError {
  return configurationError(
    'No audit database is configured',
    'Set BEMI_DESTINATION_URL=postgres://role:password@host:5432/database, or add --embedded to keep the trail in an ' +
      'embedded PostgreSQL under ./.bemi.',
  );
}

async function connected<T>(
  url: string | SecretConnection,
  name: string | undefined,
  work: (database: AuditDatabase) => Promise<T>,
): Promise<T> {
  const parsed = parseConnectionString(url, 'BEMI_DESTINATION_URL');
  const { target } = parsed;
  const attempt = { database: 'audit', target } as const;
  const open = await explained({ ...attempt, phase: 'connect' }, () => connect(parsed, 'reader'));
  try {
    return await explained({ ...attempt, phase: 'inspect' }, async () => {
      await open.client.query('SET default_transaction_read_only = on');
      try {
        const { role, host, port, database } = target;
        return await work({
          client: open.client,
          name: name ?? `${role}@${host}:${port}/${database}`,
          url,
        });
      } catch (error) {
        throw isDenied(error) ? notReadable(target.role, error) : error;
      }
    });
  } finally {
    await open.close();
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === sqlStateInsufficientPrivilege;
}

function notReadable(role: string, cause: unknown): CliError {
  const quoted = pg.escapeIdentifier(role);
  return new CliError(
    1,
    'privilege',
    `The role ${role} may not read the trail (SQLSTATE ${sqlStateInsufficientPrivilege})`,
    'Run as the owner of the audit database:\n' +
      `GRANT USAGE ON SCHEMA bemi TO ${quoted}; GRANT SELECT ON ALL TABLES IN SCHEMA bemi TO ${quoted};`,
    { cause },
  );
}
