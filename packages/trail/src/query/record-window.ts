import type pg from 'pg';
import { filterConditions } from './filter-conditions.ts';
import { lookUpsFor } from './look-ups.ts';
import { Parameters } from './parameters.ts';
import type { WindowQuery } from './scan-window.ts';
import type { SequenceRange } from './sequence-range.ts';

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
 * @param relations - shapes of the record's table.
 * @param count - of changes to look at, at most.
 * @param limit - of those that are wanted: where nothing else is asked for, no more are looked at.
 */
export async function recordWindow(
  client: pg.ClientBase,
  query: WindowQuery & { readonly relations: readonly string[] },
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
  const limited = `LIMIT ${parameters.add(most)}`;
  const direction = query.order === 'newest-first' ? 'DESC' : 'ASC';
  const candidates = `
    SELECT one.* FROM unnest(${parameters.add(query.relations)}::bigint[]) AS shape(relation)
     CROSS JOIN LATERAL (
       SELECT c.* FROM bemi.change_log c
        WHERE c.log = ${log} AND c.relation = shape.relation AND c.primary_key = ${parameters.add(primaryKey)}
          AND c.sequence >= ${parameters.add(String(range.low))}::bigint
          AND c.sequence < ${parameters.add(String(range.high))}::bigint
        ORDER BY c.sequence ${direction} ${limited}) one
     ORDER BY one.sequence ${direction} ${limited}`;
  const { rows } = await client.query<{ sequence: string; matches: boolean }>(
    `WITH candidate AS MATERIALIZED (${candidates})
     SELECT c.sequence, coalesce(${['true', ...conditions].join(' AND ')}, false) AS matches
       FROM candidate c ${lookUpsFor(conditions)} ORDER BY c.sequence ${direction}`,
    parameters.values,
  );
  const last = rows.at(-1);
  return {
    found: rows.filter(({ matches }) => matches).map(({ sequence }) => BigInt(sequence)),
    lookedAt: last && rows.length === most ? BigInt(last.sequence) : undefined,
  };
}
