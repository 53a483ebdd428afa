import type pg from 'pg';
import type { Change } from './change.ts';
import {
  changedAfter,
  changedBefore,
  changedNames,
  shownContext,
  wholeAfter,
  wholeBefore,
} from './row-sql.ts';

/** Reads changes whole, in the order of their sequences as given. */
export async function changeRows(
  client: pg.ClientBase,
  log: number,
  sequences: readonly bigint[],
  changedOnly: boolean,
): Promise<Change[]> {
  if (sequences.length === 0) return [];
  const { rows } = await client.query<NullableChange>(statement(changedOnly), [log, sequences.map(String)]);
  return rows.map(changeOf);
}

function statement(changedOnly: boolean): string {
  return `
SELECT c.sequence::text AS sequence, c.operation,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.schema_name ELSE r.root_schema END AS schema,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.table_name ELSE r.root_table END AS "table",
       c.primary_key AS "primaryKey", c.before_kind AS "beforeKind",
       ${changedOnly ? changedBefore : wholeBefore} AS before,
       ${changedOnly ? changedAfter : wholeAfter} AS after,
       ${changedNames} AS changed,
       ${shownContext} AS context, x.authenticity,
       ${isErased('c')} AS erased, ${isErased('x')} AS "contextErased",
       t.actor::text AS actor, ${isErased('t')} AS "actorErased",
       to_char(t.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp,
       t.xid::text AS "transactionId", c.transaction::text AS transaction, c.lsn::text AS position,
       row_problem.reason AS "rowQuarantine", context_problem.reason AS "contextQuarantine"
  FROM unnest($2::bigint[]) WITH ORDINALITY AS wanted(sequence, place)
  JOIN bemi.change_log c ON c.log = $1 AND c.sequence = wanted.sequence
  JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
  JOIN bemi.transaction_log t ON t.log = c.log AND t.transaction = c.transaction AND t.sequence > c.sequence
  LEFT JOIN bemi.context_log x
         ON x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no
  LEFT JOIN bemi.quarantine row_problem
         ON row_problem.log = c.log AND row_problem.sequence = c.sequence
        AND row_problem.field = 'row' AND row_problem.part = 0
  LEFT JOIN bemi.quarantine context_problem
         ON context_problem.log = c.log AND context_problem.sequence = x.sequence
        AND context_problem.field = 'context' AND context_problem.part = 0
 ORDER BY wanted.place`;
}

/** An entry without salt whose commitment is stored. Of a context that isn't there: false. */
const isErased = (entry: string): string =>
  `coalesce(${entry}.salt IS NULL AND ${entry}.commitment IS NOT NULL, false)`;

/** As the driver gives it: NULL where a change has `undefined`. */
type NullableChange = {
  [Key in keyof Change]: undefined extends Change[Key] ? Exclude<Change[Key], undefined> | null : Change[Key];
};

function changeOf(row: NullableChange): Change {
  return {
    ...row,
    primaryKey: row.primaryKey ?? undefined,
    before: row.before ?? undefined,
    after: row.after ?? undefined,
    changed: row.changed ?? undefined,
    context: row.context ?? undefined,
    authenticity: row.authenticity ?? undefined,
    actor: row.actor ?? undefined,
    rowQuarantine: row.rowQuarantine ?? undefined,
    contextQuarantine: row.contextQuarantine ?? undefined,
  };
}
