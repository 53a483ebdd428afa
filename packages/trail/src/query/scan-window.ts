import type pg from 'pg';
import type { ChangeFilter } from './change-filter.ts';
import { filterConditions } from './filter-conditions.ts';
import { Parameters } from './parameters.ts';
import type { Order, SequenceRange } from './sequence-range.ts';

/** What all windows of a search have in common. */
export interface WindowQuery {
  readonly log: number;
  readonly filter: ChangeFilter;
  /** Numbers of the shapes that `filter.tables` names. */
  readonly relations: readonly string[] | undefined;
  readonly order: Order;
}

/** The sequences of the first matching changes of a range, by looking at each of its changes. */
export async function scanWindow(
  client: pg.ClientBase,
  query: WindowQuery,
  range: SequenceRange,
  limit: number,
): Promise<bigint[]> {
  const parameters = new Parameters();
  const log = parameters.add(query.log);
  const low = `${parameters.add(String(range.low))}::bigint`;
  const high = `${parameters.add(String(range.high))}::bigint`;
  const conditions = filterConditions(query.filter, query.relations, parameters);
  const joins = joinsFor(conditions, {
    // Of a transaction that goes on behind the range, the commit is the first one there; of one that began before it, the
    // context may be anywhere from its first entry on.
    commits: `t.sequence BETWEEN ${low} AND coalesce((
      SELECT b.sequence FROM bemi.transaction_log b WHERE b.log = ${log} AND b.sequence >= ${high} - 1
       ORDER BY b.sequence LIMIT 1), ${high})`,
    contexts: `x.sequence < ${high} AND x.sequence >= coalesce((
      SELECT b.transaction FROM bemi.transaction_log b WHERE b.log = ${log} AND b.sequence >= ${low}
       ORDER BY b.sequence LIMIT 1), ${low})`,
  });
  const { rows } = await client.query<{ sequence: string }>(
    `SELECT c.sequence FROM bemi.change_log c ${joins}
      WHERE ${[`c.log = ${log} AND c.sequence >= ${low} AND c.sequence < ${high}`, ...conditions].join(' AND ')}
      ORDER BY c.sequence ${query.order === 'newest-first' ? 'DESC' : 'ASC'} LIMIT ${parameters.add(limit)}`,
    parameters.values,
  );
  return rows.map(({ sequence }) => BigInt(sequence));
}

/**
 * The joins that conditions on `t`, `x` and `r` need, and no other.
 * @param within - what is known of the sequences of commits and contexts, so that partitions and pages are left out.
 */
export function joinsFor(
  conditions: readonly string[],
  within: { readonly commits: string; readonly contexts: string },
): string {
  const refersTo = (alias: string): boolean =>
    conditions.some((each) => new RegExp(`\\b${alias}\\.`).test(each));
  const joins = [
    refersTo('t')
      ? `JOIN bemi.transaction_log t ON t.log = c.log AND t.transaction = c.transaction AND ${within.commits}`
      : '',
    refersTo('r') ? 'JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation' : '',
    refersTo('x')
      ? `LEFT JOIN bemi.context_log x ON x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no
                                     AND ${within.contexts}`
      : '',
  ];
  return joins.join(' ');
}
