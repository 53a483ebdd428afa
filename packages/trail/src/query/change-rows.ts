import type pg from 'pg';
import type { Change } from './change.ts';
import { commitLookUp, contextLookUp, lookUp, relationLookUp } from './look-ups.ts';
import { shownContext } from './row-sql.ts';
import { updateRows } from './update-rows.ts';

/** Reads changes whole, in the order of their sequences as given. */
export async function changeRows(
  client: pg.ClientBase,
  log: number,
  sequences: readonly bigint[],
  changedOnly: boolean,
): Promise<Change[]> {
  if (sequences.length === 0) return [];
  // Though each sequence says more: what is known beforehand leaves partitions out of the plan.
  const inOrder = sequences.toSorted((a, b) => (a < b ? -1 : 1));
  const { rows } = await client.query<NullableChange>(statement, [
    ...[log, sequences.map(String), String(inOrder[0]), String(inOrder.at(-1))],
  ]);
  return rows.map((row) => changeOf(row, changedOnly));
}

/** What is in quarantine is NULL in its entry. */
const problemOf = (alias: string, field: string, entry: string): string =>
  `${alias}.log = c.log AND ${alias}.sequence = ${entry}.sequence AND ${alias}.field = '${field}' AND ${alias}.part = 0`;

/** An entry without salt whose commitment is stored. Of a context that isn't there: false. */
const isErased = (entry: string): string =>
  `coalesce(${entry}.salt IS NULL AND ${entry}.commitment IS NOT NULL, false)`;

const statement = `
SELECT c.sequence::text AS sequence, c.operation,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.schema_name ELSE r.root_schema END AS schema,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.table_name ELSE r.root_table END AS "table",
       c.primary_key AS "primaryKey", c.before_kind AS "beforeKind",
       c.before::text AS before, c.after::text AS after,
       ${shownContext} AS context, x.authenticity,
       ${isErased('c')} AS erased, ${isErased('x')} AS "contextErased",
       t.actor::text AS actor, ${isErased('t')} AS "actorErased",
       to_char(t.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp,
       t.xid::text AS "transactionId", c.transaction::text AS transaction, c.lsn::text AS position,
       row_problem.reason AS "rowQuarantine", context_problem.reason AS "contextQuarantine"
  FROM unnest($2::bigint[]) WITH ORDINALITY AS wanted(sequence, place)
  CROSS JOIN ${lookUp('change_log', 'c', 'c.log = $1 AND c.sequence = wanted.sequence AND c.sequence BETWEEN $3::bigint AND $4::bigint')}
  ${relationLookUp}
  ${commitLookUp('t.sequence > $3::bigint')}
  ${contextLookUp()}
  LEFT JOIN ${lookUp('quarantine', 'row_problem', `c.before IS NULL AND c.after IS NULL AND ${problemOf('row_problem', 'row', 'c')}`)} ON true
  LEFT JOIN ${lookUp('quarantine', 'context_problem', `x.context IS NULL AND ${problemOf('context_problem', 'context', 'x')}`)} ON true
 ORDER BY wanted.place`;

/** As the driver gives it: NULL where a change has `undefined`. */
type NullableChange = {
  [Key in Exclude<keyof Change, 'changed'>]: undefined extends Change[Key]
    ? Exclude<Change[Key], undefined> | null
    : Change[Key];
};

function changeOf(row: NullableChange, changedOnly: boolean): Change {
  const update = updateRows(row, changedOnly);
  return {
    ...row,
    primaryKey: row.primaryKey ?? undefined,
    before: update?.before ?? row.before ?? undefined,
    after: update?.after ?? row.after ?? undefined,
    changed: update?.changed,
    context: row.context ?? undefined,
    authenticity: row.authenticity ?? undefined,
    actor: row.actor ?? undefined,
    rowQuarantine: row.rowQuarantine ?? undefined,
    contextQuarantine: row.contextQuarantine ?? undefined,
  };
}
