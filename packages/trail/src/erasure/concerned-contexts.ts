import type pg from 'pg';
import type { FoundChange } from './find-record.ts';

/** A context that changes of the record have, and whose it is besides. */
export interface ConcernedContext {
  readonly sequence: number;
  /** Changes of other records with the same context, by table. */
  readonly others: readonly OtherChanges[];
}

export interface OtherChanges {
  readonly schema: string;
  readonly table: string;
  readonly count: number;
  /** Sequences of the first few. */
  readonly first: readonly number[];
}

const shownOthers = 5;

/** The contexts of these changes that are not erased yet. */
export async function concernedContexts(
  client: pg.ClientBase,
  log: number,
  changes: readonly FoundChange[],
): Promise<ConcernedContext[]> {
  const wanted = new Map<string, FoundChange>();
  for (const change of changes) wanted.set(`${change.transaction} ${change.contextNo}`, change);
  const pairs = [...wanted.values()];
  const { rows } = await client.query<{
    sequence: string;
    schema: string;
    table: string;
    sequences: string[];
  }>(
    `SELECT x.sequence, r.root_schema AS schema, r.root_table AS "table", array_agg(c.sequence ORDER BY c.sequence) AS sequences
       FROM unnest($2::bigint[], $3::integer[]) AS wanted(transaction, context_no)
       JOIN bemi.context_log x ON x.log = $1 AND x.transaction = wanted.transaction AND x.context_no = wanted.context_no
       JOIN bemi.transaction_log t ON t.log = x.log AND t.transaction = x.transaction
       JOIN bemi.change_log c ON c.log = x.log AND c.sequence BETWEEN t.transaction AND t.sequence
                             AND c.transaction = x.transaction AND c.context_no = x.context_no
       JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
      WHERE x.salt IS NOT NULL
      GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    [log, pairs.map(({ transaction }) => transaction), pairs.map(({ contextNo }) => contextNo)],
  );
  const own = new Set(changes.map(({ sequence }) => sequence));
  const contexts = new Map<number, OtherChanges[]>();
  for (const row of rows) {
    const sequence = Number(row.sequence);
    const others = contexts.get(sequence) ?? [];
    contexts.set(sequence, others);
    const rest = row.sequences.map(Number).filter((each) => !own.has(each));
    if (rest.length === 0) continue;
    others.push({
      schema: row.schema,
      table: row.table,
      count: rest.length,
      first: rest.slice(0, shownOthers),
    });
  }
  return [...contexts].map(([sequence, others]) => ({ sequence, others }));
}
