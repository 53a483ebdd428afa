import { randomBytes } from 'node:crypto';
import { formatLsn, type Lsn, parseLsn } from '@bemi-db/replication/lsn';
import { sqlStateOf } from '@bemi-db/source/sql-state';
import pg from 'pg';

export interface SendableSearch {
  /** A session of its own: a temporary slot lives in it. */
  readonly client: pg.Client;
  readonly slot: string;
  readonly publication: string;
  /** Where the slot is. */
  readonly slotLsn: string;
}

export interface SendableRange {
  /** From where the server can't send. */
  readonly fromLsn: string;
  /** From where it can: where its WAL ends. */
  readonly toLsn: string;
}

/** PostgreSQL 18 only warns when a publication did not exist yet, and leaves the changes out. */
const sqlStateNotInPrerequisiteState = '55000';
/** Of which a failure says nothing about what is to be sent: connection, resources, intervention. */
const otherClasses = new Set(['08', '53', '57']);

/**
 * Finds the first position from which the server can send the next transaction again, by halving: each try copies the
 * slot to a temporary one, moves that on (which decodes without sending) and looks at what comes next. It reads the WAL
 * from the slot's start some thirty times.
 *
 * Exact where one transaction can't be sent, and where none can before a certain moment (the publication was made). Where
 * several can't, with others in between, it finds the end of one of them.
 */
export async function findSendable(
  search: SendableSearch,
  { fromLsn, toLsn }: SendableRange,
): Promise<string> {
  let unsendable = parseLsn(fromLsn);
  let sendable = parseLsn(toLsn);
  while (sendable - unsendable > 1n) {
    const middle = ((unsendable + sendable) / 2n) as Lsn;
    if (await canSendFrom(search, middle)) sendable = middle;
    else unsendable = middle;
  }
  return formatLsn(sendable);
}

/** Whether the server can send the first transaction that was committed at or after a position; true if there is none. */
export async function canSendFrom(search: SendableSearch, lsn: Lsn): Promise<boolean> {
  const { client, slot, publication, slotLsn } = search;
  const probe = `bemi_probe_${randomBytes(6).toString('hex')}`;
  let isWarned = false;
  const onNotice = ({ code }: { code?: string | undefined }): void => {
    if (code === sqlStateNotInPrerequisiteState) isWarned = true;
  };
  await client.query('SELECT pg_copy_logical_replication_slot($1, $2, true)', [slot, probe]);
  client.on('notice', onNotice);
  try {
    if (lsn > parseLsn(slotLsn))
      await client.query('SELECT pg_replication_slot_advance($1, $2)', [probe, formatLsn(lsn)]);
    await client.query(
      `SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, 1, 'proto_version', '1', 'publication_names', $2)`,
      [probe, pg.escapeIdentifier(publication)],
    );
    return !isWarned;
  } catch (error) {
    const state = sqlStateOf(error);
    if (state === undefined || otherClasses.has(state.slice(0, 2))) throw error;
    return false;
  } finally {
    client.off('notice', onNotice);
    // After an error the server has dropped it.
    await client.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
      [probe],
    );
  }
}
