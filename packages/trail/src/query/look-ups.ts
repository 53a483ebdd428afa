/*
 * SQL that finds what belongs to a change `c`: its table's shape `r`, its commit `t`, its context `x`. Each by an index, and in as
 * few partitions as can be.
 */

/** What else is known of the sequences of commits and contexts, so that the partitions of others are left out. */
export interface KnownSequences {
  readonly commits: string;
  /** Default: that they come before the commit, where that is looked up. */
  readonly contexts?: string;
}

/** What conditions on `t`, `x` and `r` need, looked up for each change. */
export function lookUpsFor(conditions: readonly string[], within?: KnownSequences): string {
  const refersTo = (alias: string): boolean =>
    conditions.some((each) => new RegExp(`\\b${alias}\\.`).test(each));
  const hasCommit = refersTo('t');
  return [
    hasCommit ? commitLookUp(within?.commits) : '',
    refersTo('r') ? relationLookUp : '',
    refersTo('x') ? contextLookUp(within?.contexts ?? (hasCommit ? beforeCommit : 'true')) : '',
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

/** By the transaction's number, not by the order of sequences: to find the next one, an index reads a page of them. */
export function commitLookUp(within = 'true'): string {
  const where = `t.log = c.log AND t.transaction = c.transaction AND t.sequence > c.sequence AND ${within}`;
  return `CROSS JOIN ${lookUp('transaction_log', 't', where)}`;
}

/** Where the commit `t` has been looked up. */
const beforeCommit = 'x.sequence < t.sequence';

export function contextLookUp(within = beforeCommit): string {
  const where = `x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no AND x.sequence >= c.transaction`;
  return `LEFT JOIN ${lookUp('context_log', 'x', `${where} AND ${within}`)} ON true`;
}
