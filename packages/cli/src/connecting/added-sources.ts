import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AddedSource,
  readAddedSources,
  readSealedUrl,
} from '@bemi-db/trail/added-sources/added-sources';
import { openUrl, SealedUrlError } from '@bemi-db/trail/added-sources/sealed-url';
import pg from 'pg';
import { CliError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { configuredFromAdded } from '../recording/added-source.ts';
import { addedSourceKey } from '../recording/added-source-key.ts';
import { type AuditDatabaseChoice, readingAuditDatabase } from '../trail-reading/audit-database.ts';

/** A source that was added in the dashboard, for a command that connects to it. */
export interface OpenedSource {
  readonly added: AddedSource;
  /** With its settings, as if it were configured; without its connection where that could not be opened. */
  readonly configuration: Configuration;
  /** Why its connection could not be opened. */
  readonly problem: unknown;
}

const keyFile = 'source-secret';
const sqlStateInsufficientPrivilege = '42501';

/**
 * Those that were added in the dashboard, by name; none where no audit database is configured.
 *
 * @param isMeant - which of them: the connections of others stay sealed.
 * @throws where the audit database can't be read.
 */
export async function openAddedSources(
  { configuration, isEmbedded }: AuditDatabaseChoice,
  isMeant: (added: AddedSource) => boolean = () => true,
): Promise<readonly OpenedSource[]> {
  const hasAudit = configuration.destinationUrl !== undefined || isEmbedded || hasEmbedded(bemiFolder());
  if (!hasAudit) return [];
  return await readingAuditDatabase({ configuration, isEmbedded }, async ({ client }) => {
    const opened: OpenedSource[] = [];
    for (const added of await readAddedSources(client)) {
      if (isMeant(added)) opened.push(await openSource(client, configuration, added));
    }
    return opened;
  });
}

async function openSource(
  client: pg.Client,
  configuration: Configuration,
  added: AddedSource,
): Promise<OpenedSource> {
  const { slot, publication } = added;
  try {
    const source = configuredFromAdded(configuration, added, await readUrl(client, configuration, added));
    const { isSet } = configuration;
    return { added, configuration: { ...configuration, ...source, isSet, source }, problem: undefined };
  } catch (problem) {
    const closed = { ...configuration, slot, publication, databaseUrl: undefined, source: undefined };
    return { added, configuration: closed, problem };
  }
}

async function readUrl(
  client: pg.Client,
  configuration: Configuration,
  { id, name }: AddedSource,
): Promise<string> {
  const sealed = await readSealedUrl(client, id).catch((error: unknown) => {
    const isDenied = error instanceof pg.DatabaseError && error.code === sqlStateInsufficientPrivilege;
    throw isDenied ? notReadable(name, client.user ?? 'role', error) : error;
  });
  if (!sealed) throw new SealedUrlError(name);
  const folder = configuration.stateDirectory ?? bemiFolder().path;
  // It would be made: another one than the connection was sealed with.
  if (configuration.encryptionKey === undefined && !existsSync(join(folder, keyFile))) throw keyMissing(name);
  return openUrl(sealed, await addedSourceKey(configuration), name);
}

function keyMissing(name: string): CliError {
  return new CliError(
    1,
    'source-sealed',
    `The connection of ${name} can’t be opened: the key that it was sealed with is not here`,
    `Set BEMI_ENCRYPTION_KEY as the worker has it; or, where it has none, run this in its folder (BEMI_STATE_DIR): the key is ${keyFile} there.`,
  );
}

function notReadable(name: string, role: string, cause: unknown): CliError {
  return new CliError(
    1,
    'privilege',
    `The role ${role} may not read the connection of ${name}, which was added in the dashboard`,
    'Set BEMI_DESTINATION_URL to the URL that the worker has: its role may.',
    { cause },
  );
}
