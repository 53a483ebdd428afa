import type pg from 'pg';
import { filterConditions } from './filter-conditions.ts';
import type { IndexTerms } from './index-terms.ts';
import { Parameters } from './parameters.ts';
import { lookUpsFor, type WindowQuery } from './scan-window.ts';
import type { SequenceRange } from './sequence-range.ts';

/** The times of commits are known of each block of so many sequences, */
export const blockBits = 10n;
/** and the index has changes under the number of a range of so many. */
export const indexRangeBits = 17n;

export interface IndexWindow {
  readonly found: readonly bigint[];
  /** What was looked through: the whole range, or what comes first in it where there was more than was asked for. */
  readonly through: SequenceRange;
}

/**
 * The sequences of the first matching changes of a range, by the rows of the index that may have some.
 *
 * @param rows - how many of these to look at.
 * @param limit - of changes. Where there are more, the range is not looked through.
 */
export async function indexWindow(
  client: pg.ClientBase,
  query: WindowQuery & { readonly terms: IndexTerms },
  range: SequenceRange,
  rows: number,
  limit: number,
): Promise<IndexWindow> {
  const { terms, filter, order } = query;
  const direction = order === 'newest-first' ? 'DESC' : 'ASC';
  const parameters = new Parameters();
  const log = parameters.add(query.log);
  const bigint = (value: bigint): string => `${parameters.add(String(value))}::bigint`;
  const low = bigint(range.low);
  const high = bigint(range.high);
  const alternatives = terms.map((documents) =>
    documents
      .map((each) => `i.document @> jsonb_build_object(part.number::text, ${parameters.add(each)}::jsonb)`)
      .join(' AND '),
  );
  const conditions = filterConditions(filter, query.relations, parameters);
  const joins = lookUpsFor(conditions);
  const first = bigint(range.low >> indexRangeBits);
  const last = bigint((range.high - 1n) >> indexRangeBits);
  const { rows: answers } = await client.query<{
    found: string[] | null;
    last: string | null;
    count: number;
  }>(
    // The parts are looked up one after the other, until there are rows enough: each in turn, as LATERAL says, in the order of
    // generate_series. To sort them all would need them all.
    `WITH candidate AS MATERIALIZED (
       SELECT i.*
         FROM generate_series(${order === 'newest-first' ? `${last}, ${first}, -1` : `${first}, ${last}`}) AS part(number)
        CROSS JOIN LATERAL (
          SELECT i.sequence, i.last_sequence, i.transaction, i.context_no FROM bemi.change_index i
           WHERE i.log = ${log} AND i.sequence >= part.number << ${indexRangeBits}
             AND i.sequence < (part.number + 1) << ${indexRangeBits}
             AND i.sequence < ${high} AND i.last_sequence >= ${low} AND (${alternatives.join(' OR ')})
           ORDER BY i.sequence ${direction} LIMIT ${parameters.add(rows)}) i
        LIMIT ${parameters.add(rows)}
     ), found AS (
       SELECT c.sequence
         FROM candidate
        CROSS JOIN LATERAL (
          SELECT c.* FROM bemi.change_log c
           WHERE c.log = ${log} AND c.sequence BETWEEN candidate.sequence AND candidate.last_sequence
             AND c.transaction = candidate.transaction AND c.context_no = candidate.context_no OFFSET 0) c
         ${joins}
        WHERE ${[`c.sequence >= ${low} AND c.sequence < ${high}`, ...conditions].join(' AND ')}
        ORDER BY c.sequence ${direction} LIMIT ${parameters.add(limit)})
     SELECT (SELECT array_agg(sequence ORDER BY sequence ${direction}) FROM found) AS found,
            (SELECT ${order === 'newest-first' ? 'min(sequence)' : 'max(last_sequence)'} FROM candidate) AS last,
            (SELECT count(*)::integer FROM candidate) AS count`,
    parameters.values,
  );
  const { found, last: lastRow, count } = answers[0]!;
  const isCut = lastRow !== null && count === rows;
  const through = !isCut
    ? range
    : order === 'newest-first'
      ? { low: BigInt(lastRow), high: range.high }
      : { low: range.low, high: BigInt(lastRow) + 1n };
  return { found: (found ?? []).map(BigInt), through };
}
