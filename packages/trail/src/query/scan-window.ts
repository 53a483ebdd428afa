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
  const joins = lookUpsFor(conditions, {
    // Of a transaction that goes on behind the range, the commit is the first one there; of one that began before it, the
    // context may be anywhere from its first entry on.
    commits: `t.sequence BETWEEN ${low} AND coalesce((
      SELECT b.sequence FROM bemi.transaction_log b WHERE b.log = ${log} AND b.sequence >= ${high} - 1
       ORDER BY b.sequence LIMIT 1), ${high})`,
    contexts: `x.sequence < coalesce((
      SELECT b.sequence FROM bemi.transaction_log b WHERE b.log = ${log} AND b.sequence >= ${high} - 1
       ORDER BY b.sequence LIMIT 1), ${high})`,
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
 * What conditions on `t`, `x` and `r` need, looked up for each change.
 * @param within - what else is known of the sequences of commits and contexts, so that the partitions of others are left out.
 */
export function lookUpsFor(
  conditions: readonly string[],
  within: { readonly commits: string; readonly contexts: string } = { commits: 'true', contexts: 'true' },
): string {
  const refersTo = (alias: string): boolean =>
    conditions.some((each) => new RegExp(`\\b${alias}\\.`).test(each));
  return [
    refersTo('t') ? transactionLookUp(within.commits) : '',
    refersTo('r') ? relationLookUp : '',
    refersTo('x') ? contextLookUp(within.contexts) : '',
  ].join(' ');
}

/**
 * SQL that finds a row by an index. OFFSET keeps the planner from anything else: where a table is new to it, it would rather read
 * all of it, again and again.
 */
export function lookUp(table: string, alias: string, where: string): string {
  return `LATERAL (SELECT ${alias}.* FROM bemi.${table} ${alias} WHERE ${where} OFFSET 0) ${alias}`;
}

export const relationLookUp = `CROSS JOIN ${lookUp('relations', 'r', 'r.log = c.log AND r.relation = c.relation')}`;

export function transactionLookUp(within = 'true'): string {
  const where = `t.log = c.log AND t.transaction = c.transaction AND t.sequence > c.sequence AND ${within}`;
  return `CROSS JOIN ${lookUp('transaction_log', 't', where)}`;
}

export function contextLookUp(within = 'true'): string {
  const where = `x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no AND x.sequence >= c.transaction`;
  return `LEFT JOIN ${lookUp('context_log', 'x', `${where} AND ${within}`)} ON true`;
}
