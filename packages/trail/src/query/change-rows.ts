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
import { contextLookUp, lookUp, relationLookUp, transactionLookUp } from './scan-window.ts';

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
  CROSS JOIN ${lookUp('change_log', 'c', 'c.log = $1 AND c.sequence = wanted.sequence')}
  ${relationLookUp}
  ${transactionLookUp()}
  ${contextLookUp()}
  LEFT JOIN ${lookUp('quarantine', 'row_problem', problemOf('row_problem', 'row', 'c'))} ON true
  LEFT JOIN ${lookUp('quarantine', 'context_problem', problemOf('context_problem', 'context', 'x'))} ON true
 ORDER BY wanted.place`;
}

const problemOf = (alias: string, field: string, entry: string): string =>
  `${alias}.log = c.log AND ${alias}.sequence = ${entry}.sequence AND ${alias}.field = '${field}' AND ${alias}.part = 0`;

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
