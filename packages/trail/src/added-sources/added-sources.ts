import pg from 'pg';
import type { Access } from '../access/access.ts';
import { accessPayload } from '../access/access-payload.ts';

/** Channel on which whoever records hears that a source was added, changed or removed. */
export const sourcesChannel = 'bemi_sources';

/** Where a connection goes, without what is secret. */
export interface SourceTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly role: string;
}

export interface SourceSettings {
  readonly slot: string;
  readonly publication: string;
  readonly bufferSize: number;
  readonly retentionDays: number;
}

/** A source that somebody added in the dashboard, without its password. */
export interface AddedSource extends SourceTarget, SourceSettings {
  readonly id: number;
  /** Of the source, and of its log. */
  readonly name: string;
  /** Grows with each change. */
  readonly revision: number;
  /** RFC 3339 in UTC. */
  readonly addedAt: string;
  readonly addedBy: string;
  readonly changedAt: string | undefined;
  readonly changedBy: string | undefined;
}

/** Who did it, from where, for the log of accesses. */
export type SourceChanger = Pick<Access, 'via' | 'by' | 'address' | 'userAgent'>;

/** Why a change of the sources was not taken; nothing was changed. */
export class SourceNotChangedError extends Error {
  override readonly name = 'SourceNotChangedError';
  readonly reason: 'name-taken' | 'unknown' | 'not-possible' | 'denied' | 'older-schema' | 'read-only';

  constructor(reason: SourceNotChangedError['reason'], cause: unknown) {
    super(`The source was not changed: ${reason}`, { cause });
    this.reason = reason;
  }
}

const reasons: { readonly [sqlState: string]: SourceNotChangedError['reason'] } = {
  '23505': 'name-taken', // unique_violation
  BM003: 'unknown',
  '23514': 'not-possible', // check_violation
  '42501': 'denied', // insufficient_privilege
  '42883': 'older-schema', // undefined_function
  '3F000': 'older-schema', // invalid_schema_name
  '25006': 'read-only', // read_only_sql_transaction
  '0A000': 'read-only', // a standby
};

const sqlStatesWithoutTable = ['42P01', '3F000'];
const timeFormat = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** Those that are there, by name. None where the schema is older. */
export async function readAddedSources(client: pg.ClientBase): Promise<readonly AddedSource[]> {
  try {
    const { rows } = await client.query<
      Omit<AddedSource, 'changedAt' | 'changedBy'> & { changedAt: string | null; changedBy: string | null }
    >(
      `SELECT id, name, revision, host, port, database, role, slot, publication, buffer_size AS "bufferSize",
              retention_days AS "retentionDays", to_char(added_at AT TIME ZONE 'UTC', ${timeFormat}) AS "addedAt",
              added_by AS "addedBy", to_char(changed_at AT TIME ZONE 'UTC', ${timeFormat}) AS "changedAt",
              changed_by AS "changedBy"
         FROM bemi.added_sources WHERE removed_at IS NULL ORDER BY name`,
    );
    return rows.map(({ changedAt, changedBy, ...source }) => ({
      ...source,
      changedAt: changedAt ?? undefined,
      changedBy: changedBy ?? undefined,
    }));
  } catch (error) {
    if (error instanceof pg.DatabaseError && sqlStatesWithoutTable.includes(error.code ?? '')) return [];
    throw error;
  }
}

/** The sealed connection URL of a source, for the writer's eyes only. */
export async function readSealedUrl(client: pg.ClientBase, id: number): Promise<Buffer | undefined> {
  const { rows } = await client.query<{ sealed: Buffer }>(
    'SELECT sealed FROM bemi.source_secrets WHERE id = $1',
    [id],
  );
  return rows[0]?.sealed;
}

/**
 * Adds a source; the log of accesses says so, in the same transaction.
 *
 * @param sealed - its connection URL, by `sealUrl`.
 * @throws SourceNotChangedError
 */
export async function addSource(
  client: pg.ClientBase,
  source: { readonly name: string } & SourceTarget & SourceSettings,
  sealed: Uint8Array,
  changer: SourceChanger,
): Promise<void> {
  await change(client, 'SELECT bemi.add_source($1, $2, $3)', [
    JSON.stringify(source),
    Buffer.from(sealed),
    accessOf(changer),
  ]);
}

/**
 * Changes what is given; the connection as a whole.
 *
 * @throws SourceNotChangedError
 */
export async function changeSource(
  client: pg.ClientBase,
  name: string,
  settings: Partial<SourceSettings>,
  connection: { readonly target: SourceTarget; readonly sealed: Uint8Array } | undefined,
  changer: SourceChanger,
): Promise<void> {
  await change(client, 'SELECT bemi.change_source($1, $2, $3, $4)', [
    name,
    JSON.stringify({ ...settings, ...connection?.target }),
    connection ? Buffer.from(connection.sealed) : null,
    accessOf(changer),
  ]);
}

/**
 * Removes a source, and its password with it. Its log stays.
 *
 * @throws SourceNotChangedError
 */
export async function removeSource(
  client: pg.ClientBase,
  name: string,
  changer: SourceChanger,
): Promise<void> {
  await change(client, 'SELECT bemi.remove_source($1, $2)', [name, accessOf(changer)]);
}

function accessOf(changer: SourceChanger): string {
  return JSON.stringify(accessPayload({ what: 'source', ...changer }));
}

// The first access of all makes the log of accesses, with partitions of tables that others may be reading in another order.
const deadlockRetries = 3;
const sqlStateDeadlock = '40P01';

async function change(client: pg.ClientBase, sql: string, values: readonly unknown[]): Promise<void> {
  for (let left = deadlockRetries; ; left--) {
    try {
      await client.query('BEGIN READ WRITE; SET LOCAL synchronous_commit = on');
      await client.query(sql, [...values]);
      await client.query('COMMIT');
      return;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      if (!(error instanceof pg.DatabaseError)) throw error;
      if (error.code === sqlStateDeadlock && left > 0) continue;
      const reason = reasons[error.code ?? ''];
      throw reason === undefined ? error : new SourceNotChangedError(reason, error);
    }
  }
}
