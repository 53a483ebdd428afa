import type pg from 'pg';
import { filterConditions } from './filter-conditions.ts';
import type { IndexTerms } from './index-terms.ts';
import { indexRangeBits, tileBits } from './index-window.ts';
import { lookUpsFor } from './look-ups.ts';
import { Parameters } from './parameters.ts';
import type { WindowQuery } from './scan-window.ts';
import type { SequenceRange } from './sequence-range.ts';

export interface RecordQuery extends WindowQuery {
  /** Shapes of the record's table. */
  readonly relations: readonly string[];
  /** What the index of changes knows of the rest of the filter, */
  readonly terms: IndexTerms | undefined;
  /** and up to where, exclusive. */
  readonly indexedTo: bigint;
}

/** What looking at some of a record's changes found. */
export interface RecordWindow {
  readonly found: readonly bigint[];
  /** The last change that was looked at; `undefined` where there are no more in the range. */
  readonly lookedAt: bigint | undefined;
}

/**
 * Looks at the first so many changes of a record: shape by shape, since with relation and key given the index yields them
 * in order.
 *
 * @param count - of changes to look at, at most.
 * @param limit - of those that are wanted: where nothing else is asked for, no more are looked at.
 */
export async function recordWindow(
  client: pg.ClientBase,
  query: RecordQuery,
  range: SequenceRange,
  count: number,
  limit: number,
): Promise<RecordWindow> {
  const parameters = new Parameters();
  const log = parameters.add(query.log);
  // What the candidates have in common need not be asked of each.
  const { primaryKey, ...others } = query.filter;
  const conditions = filterConditions(others, undefined, parameters);
  const most = conditions.length === 0 ? Math.min(count, limit) : count;
  const low = `${parameters.add(String(range.low))}::bigint`;
  const high = `${parameters.add(String(range.high))}::bigint`;
  const limited = `LIMIT ${parameters.add(most)}`;
  const direction = query.order === 'newest-first' ? 'DESC' : 'ASC';
  const candidates = `
    SELECT one.* FROM unnest(${parameters.add(query.relations)}::bigint[]) AS shape(relation)
     CROSS JOIN LATERAL (
       SELECT c.* FROM bemi.change_log c
        WHERE c.log = ${log} AND c.relation = shape.relation AND c.primary_key = ${parameters.add(primaryKey)}
          AND c.sequence >= ${low} AND c.sequence < ${high}
        ORDER BY c.sequence ${direction} ${limited}) one
     ORDER BY one.sequence ${direction} ${limited}`;
  const { rows } = await client.query<{ found: string[] | null; last: string | null; count: number }>(
    `WITH candidate AS MATERIALIZED (${candidates}),
          likely AS MATERIALIZED (SELECT c.* FROM candidate c WHERE ${isLikely(query, { low, high }, parameters)})
     SELECT (SELECT array_agg(c.sequence ORDER BY c.sequence ${direction})
               FROM likely c ${lookUpsFor(conditions, { commits: `t.sequence > ${low}` })} WHERE ${['true', ...conditions].join(' AND ')}) AS found,
            (SELECT ${query.order === 'newest-first' ? 'min' : 'max'}(sequence) FROM candidate) AS last,
            (SELECT count(*)::integer FROM candidate) AS count`,
    parameters.values,
  );
  const { found, last, count: looked } = rows[0]!;
  return {
    found: (found ?? []).map(BigInt),
    lookedAt: last !== null && looked === most ? BigInt(last) : undefined,
  };
}

/**
 * SQL: whether the index has such a change, where it has it at all. One row of it is found in half the time of the commit and the
 * context, by which a change is judged.
 */
function isLikely(
  { log, terms, indexedTo }: RecordQuery,
  { low, high }: { readonly low: string; readonly high: string },
  parameters: Parameters,
): string {
  if (!terms) return 'true';
  const said = `(i.document -> (i.sequence >> ${indexRangeBits})::text)`;
  const anyOf = terms
    .map((all) => all.map((each) => `${said} @> ${parameters.add(each)}::jsonb`).join(' AND '))
    .join(' OR ');
  return `(c.sequence >= ${parameters.add(String(indexedTo))}::bigint OR EXISTS (
    SELECT FROM bemi.change_index i
     WHERE i.log = ${parameters.add(log)} AND i.transaction = c.transaction AND i.context_no = c.context_no
       AND i.sequence >= (c.sequence >> ${tileBits}) << ${tileBits} AND i.sequence <= c.sequence
       AND i.sequence >= (${low} >> ${tileBits}) << ${tileBits} AND i.sequence < ${high} AND (${anyOf}) OFFSET 0))`;
}
