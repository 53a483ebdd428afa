import { daysToMs } from '@bemi-db/proof/retention-periods';
import { mostErasedEntries } from '@bemi-db/trail/erasure/erasure-request';
import { sequencePairs } from '@bemi-db/trail/erasure/sequence-pairs';
import { request } from '@bemi-db/trail/inbox';
import type pg from 'pg';
import type { RetentionSettings } from '../retention/retention-settings.ts';

/**
 * Asks, as anybody does by the inbox, for what expired accesses say to be erased, some thousands at a time.
 *
 * @param from - all before it were erased, or are no accesses
 * @param now - by the least of the clocks, in milliseconds since 1970
 * @returns where to go on; `undefined` where nothing is left
 */
export async function requestExpiry(
  client: pg.ClientBase,
  log: number,
  retention: RetentionSettings,
  { from, now }: { readonly from: number; readonly now: number },
): Promise<number | undefined> {
  const { longest } = retention.periods.at(now);
  if (longest === undefined) return undefined;
  const { rows } = await client.query<{ sequence: string }>(
    `SELECT e.sequence FROM bemi.event_log e
      WHERE e.log = $1 AND e.sequence >= $2 AND e.kind = 'access' AND e.salt IS NOT NULL AND e.at < $3
      ORDER BY e.sequence LIMIT $4`,
    [log, from, new Date(now - daysToMs(longest)), mostErasedEntries],
  );
  if (rows.length === 0) return undefined;
  const sequences = rows.map(({ sequence }) => Number(sequence));
  await request(client, log, 'erasure', {
    entries: sequencePairs(sequences),
    reason: `kept for ${longest} days`,
    by: 'retention',
  });
  return sequences.at(-1)! + 1;
}
