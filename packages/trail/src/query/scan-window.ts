import type pg from 'pg';
import type { ChangeFilter } from './change-filter.ts';
import { filterConditions } from './filter-conditions.ts';
import { lookUpsFor } from './look-ups.ts';
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
  // Of a transaction that goes on behind the range, the commit is the first one there; of one that began before it, the context
  // may be anywhere from its first entry on.
  const end = `coalesce((SELECT b.sequence FROM bemi.transaction_log b WHERE b.log = ${log} AND b.sequence >= ${high} - 1
                          ORDER BY b.sequence LIMIT 1), ${high})`;
  const joins = lookUpsFor(conditions, {
    commits: `t.sequence BETWEEN ${low} AND ${end}`,
    contexts: `x.sequence < ${end}`,
  });
  const { rows } = await client.query<{ sequence: string }>(
    `SELECT c.sequence FROM bemi.change_log c ${joins}
      WHERE ${[`c.log = ${log} AND c.sequence >= ${low} AND c.sequence < ${high}`, ...conditions].join(' AND ')}
      ORDER BY c.sequence ${query.order === 'newest-first' ? 'DESC' : 'ASC'} LIMIT ${parameters.add(limit)}`,
    parameters.values,
  );
  return rows.map(({ sequence }) => BigInt(sequence));
}
