import { RetentionPeriods, retentionSetting } from '@bemi-db/proof/retention-periods';
import type pg from 'pg';

/** How long a log is kept, by its own events. */
export async function readRetentionPeriods(client: pg.ClientBase, log: number): Promise<RetentionPeriods> {
  const { rows } = await client.query<{ at: Date; payload: Record<string, unknown> }>(
    `SELECT at, payload FROM bemi.event_log
      WHERE log = $1 AND kind = 'config' AND payload->>'event' = 'retention-set' ORDER BY sequence`,
    [log],
  );
  return new RetentionPeriods(
    rows.flatMap(({ at, payload }) => retentionSetting(payload, at.getTime()) ?? []),
  );
}

/**
 * What time it is by the log's own account: the latest moment that all clocks which it knows had reached, those of the
 * source, the worker and the audit database in an `alive` event, or those of the source and the worker at a commit. A
 * single clock that is wrong makes nothing expire.
 *
 * @returns milliseconds since 1970; undefined where the log has neither
 */
export async function readLogTime(client: pg.ClientBase, log: number): Promise<number | undefined> {
  const { rows } = await client.query<{ time: Date | null }>(
    `SELECT greatest(
       (SELECT least((payload->>'sourceTime')::timestamptz, (payload->>'auditTime')::timestamptz,
                     (payload->>'workerTime')::timestamptz)
          FROM bemi.event_log WHERE log = $1 AND kind = 'alive' ORDER BY sequence DESC LIMIT 1),
       (SELECT least(committed_at, recorded_at)
          FROM bemi.transaction_log WHERE log = $1 ORDER BY sequence DESC LIMIT 1)) AS time`,
    [log],
  );
  return rows[0]?.time?.getTime();
}
