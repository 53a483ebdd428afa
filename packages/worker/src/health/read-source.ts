import { parseLsn } from '@bemi-db/replication/lsn';
import type pg from 'pg';
import type { SourceReading } from './readings.ts';

interface Row {
  readonly walLsn: string | null;
  readonly keepLimitBytes: string | null;
  readonly slot: {
    readonly active: boolean;
    readonly restart_lsn: string | null;
    readonly confirmed_flush_lsn: string | null;
    readonly wal_status?: string | null;
    readonly safe_wal_size?: number | null;
  } | null;
}

/** By way of JSON, because older versions lack some of the columns. */
const query = `
  SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS "walLsn",
         (SELECT to_jsonb(s) FROM pg_replication_slots s WHERE s.slot_name = $1) AS slot,
         (SELECT CASE WHEN setting::bigint >= 0 THEN setting::bigint * 1048576 END::text
            FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS "keepLimitBytes"`;

/** Looks at a slot and its server: three catalogs, no table. */
export async function readSource(client: pg.ClientBase, slotName: string): Promise<SourceReading> {
  const { rows } = await client.query<Row>(query, [slotName]);
  const { walLsn, slot, keepLimitBytes } = rows[0]!;
  const wal = lsn(walLsn);
  return {
    atMs: performance.now(),
    walLsn: wal,
    keepLimitBytes: keepLimitBytes === null ? undefined : Number(keepLimitBytes),
    slot: slot
      ? {
          isActive: slot.active,
          confirmedLsn: lsn(slot.confirmed_flush_lsn),
          lagBytes: bytesBetween(lsn(slot.confirmed_flush_lsn), wal),
          retainedBytes: bytesBetween(lsn(slot.restart_lsn), wal),
          walStatus: slot.wal_status ?? undefined,
          safeBytes: slot.safe_wal_size ?? undefined,
        }
      : undefined,
  };
}

function lsn(text: string | null): bigint | undefined {
  return text === null ? undefined : parseLsn(text);
}

/** A reply of the worker may arrive between the two readings. */
function bytesBetween(from: bigint | undefined, to: bigint | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(Number(to - from), 0);
}
