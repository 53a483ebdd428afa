import type pg from 'pg';

/** Of the log of accesses. A source's log has the name of a database, and no database of ours this one. */
export const accessLogName = 'bemi:access';

/**
 * Under which name a worker remembers what it signed of it last: each audit database has one, and a worker's state directory
 * may serve several.
 */
export async function accessMemoryName(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database');
  return `${accessLogName}@${rows[0]!.database}`;
}

/** A log without a source, as it is stored. */
export interface AccessLog {
  readonly log: number;
  /** 16 bytes in hexadecimal: part of the origin of its checkpoints. */
  readonly logId: string;
  readonly nextSequence: number;
}

/** The log of accesses, or `undefined` while there is none: it begins with the first access. */
export async function findAccessLog(client: pg.ClientBase): Promise<AccessLog | undefined> {
  const { rows } = await client.query<{ log: number; logId: string; next: string }>(
    `SELECT log, log_id AS "logId", next_sequence AS next FROM bemi.logs WHERE name = $1`,
    [accessLogName],
  );
  const row = rows[0];
  if (!row) return undefined;
  const nextSequence = Number(row.next);
  if (!Number.isSafeInteger(nextSequence))
    throw new RangeError(`Sequence ${row.next} is beyond what this version can count`);
  return { log: row.log, logId: row.logId, nextSequence };
}
