import type pg from 'pg';
import type { ChangeFilter } from './change-filter.ts';
import { blockBits } from './index-window.ts';
import type { Order, SequenceRange } from './sequence-range.ts';

/**
 * The first block of a range that has a change of the times that a filter asks for: commit times mostly rise with the
 * sequence, but clocks jump, so each block knows its own.
 */
export async function nearestBlock(
  client: pg.ClientBase,
  log: number,
  { since, until }: ChangeFilter,
  range: SequenceRange,
  order: Order,
): Promise<SequenceRange | undefined> {
  const { rows } = await client.query<{ block: string }>(
    `SELECT b.block FROM bemi.change_blocks b
      WHERE b.log = $1 AND b.block BETWEEN $2 AND $3
        AND ($4::timestamptz IS NULL OR b.last_at >= $4) AND ($5::timestamptz IS NULL OR b.first_at < $5)
      ORDER BY b.block ${order === 'newest-first' ? 'DESC' : 'ASC'} LIMIT 1`,
    [
      log,
      String(range.low >> blockBits),
      String((range.high - 1n) >> blockBits),
      since ?? null,
      until ?? null,
    ],
  );
  if (!rows[0]) return undefined;
  const block = BigInt(rows[0].block);
  const low = block << blockBits;
  const high = (block + 1n) << blockBits;
  return { low: low > range.low ? low : range.low, high: high < range.high ? high : range.high };
}
