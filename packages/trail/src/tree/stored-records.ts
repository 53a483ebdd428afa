import type pg from 'pg';
import { readEntries } from '../entries/read-entries.ts';

/** The records of a range of entries, as what is stored makes them: nothing of it is proven. */
export interface StoredRecords {
  /** In the order of their sequences; `undefined` where nothing is stored. */
  readonly records: readonly (Uint8Array | undefined)[];
  /** Entries with smaller sequences have been dropped by retention, but for events, as the log says. */
  readonly droppedBefore: number;
}

/** Reads the records of the entries in [from, to). There is no row, key or context in them. */
export async function readRecords(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
): Promise<StoredRecords> {
  const { records, starts, ends } = await readEntries(client, log, from, to);
  const found = Array.from(ends, (end, i) => (end === 0 ? undefined : records.subarray(starts[i], end)));
  return {
    records: found,
    droppedBefore: found.includes(undefined) ? await readDroppedBefore(client, log) : 0,
  };
}

async function readDroppedBefore(client: pg.ClientBase, log: number): Promise<number> {
  const { rows } = await client.query<{ before: string | null }>(
    `SELECT max((payload->>'before')::bigint) AS before FROM bemi.event_log
      WHERE log = $1 AND kind = 'retention' AND payload->>'before' ~ '^[0-9]{1,15}$'`,
    [log],
  );
  return Number(rows[0]?.before ?? 0);
}
