import type pg from 'pg';
import type { Change } from './change.ts';
import {
  type ChangeFilter,
  changeConditions,
  contextConditions,
  transactionConditions,
} from './change-filter.ts';
import { saysSomething } from './context-share.ts';
import { Parameters } from './parameters.ts';
import {
  changedAfter,
  changedBefore,
  changedNames,
  shownContext,
  wholeAfter,
  wholeBefore,
} from './row-sql.ts';
import { relationsOf } from './table-relations.ts';

export interface ChangeQuery extends ChangeFilter {
  /** Number of the log. */
  readonly log: number;
  /** In the order of commit. Default `newest-first`. */
  readonly order?: 'newest-first' | 'oldest-first';
  /** How many changes at most. */
  readonly limit: number;
  /** `before` and `after` of an UPDATE hold the changed columns alone. Default false. */
  readonly changedOnly?: boolean;
}

/**
 * One page of a log's changes. The next page begins at the last one's sequence, as `before` (newest first) or `after`
 * (oldest first): reading on costs the same at any depth.
 */
export async function selectChanges(client: pg.ClientBase, query: ChangeQuery): Promise<Change[]> {
  const relations = query.table && (await relationsOf(client, query.log, query.table));
  if (relations?.length === 0) return [];
  const { text, values } = changesStatement(query, relations);
  const { rows } = await client.query<NullableChange>(text, values);
  return rows.map(changeOf);
}

/** A filter's changes page by page, so that reading many takes no more memory than one page. */
export async function* eachChange(
  client: pg.ClientBase,
  query: ChangeQuery,
  pageSize = 200,
): AsyncGenerator<Change, void, void> {
  const isNewestFirst = query.order !== 'oldest-first';
  let { before, after } = query;
  for (let left = query.limit; left > 0; ) {
    const limit = Math.min(left, pageSize);
    const bounds = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    const page = await selectChanges(client, { ...query, ...bounds, limit });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < limit) return;
    if (isNewestFirst) before = last.sequence;
    else after = last.sequence;
    left -= page.length;
  }
}

/** The statement for a page, with its values. Pure, for tests and plans. */
export function changesStatement(
  query: ChangeQuery,
  relations: readonly string[] | undefined,
): { readonly text: string; readonly values: unknown[] } {
  const parameters = new Parameters();
  const direction = query.order === 'oldest-first' ? 'ASC' : 'DESC';
  const onChange = changeConditions(query.log, query, parameters);
  const onTransaction = transactionConditions(query, parameters);
  const limit = parameters.add(query.limit);

  let from = 'bemi.change_log c';
  if (onTransaction.length > 0) from += ` JOIN ${transactions}`;
  // By equality, so that the index of contexts can lead: an outer join or a coalesce could not use it.
  if (query.authenticity) from += ` JOIN ${contexts}`;
  if (query.context?.length) from += ` JOIN ${matchingContexts(query, parameters)}`;
  const onContext = query.authenticity
    ? [`x.authenticity = ANY (${parameters.add(query.authenticity)}::text[])`]
    : [];
  if (query.withoutContext)
    onContext.push(`NOT EXISTS (SELECT FROM ${contexts.replace(' ON ', ' WHERE ')} AND ${saysSomething})`);
  const rest = [...onChange, ...onTransaction, ...onContext].join(' AND ');
  const ordered = (condition: string): string =>
    `SELECT c.* FROM ${from} WHERE ${condition} ORDER BY c.sequence ${direction} LIMIT ${limit}`;

  let page: string;
  if (relations && query.primaryKey !== undefined) {
    // A record, shape by shape: with relation and key given, the index yields its changes in order.
    page = `SELECT one.* FROM unnest(${parameters.add(relations)}::bigint[]) AS shape(relation)
             CROSS JOIN LATERAL (${ordered(`c.relation = shape.relation AND ${rest}`)}) one
             ORDER BY one.sequence ${direction} LIMIT ${limit}`;
  } else if (relations) {
    page = ordered(`c.relation = ANY (${parameters.add(relations)}::bigint[]) AND ${rest}`);
  } else {
    page = ordered(rest);
  }

  const text = `
WITH page AS MATERIALIZED (${page})
SELECT c.sequence::text AS sequence, c.operation,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.schema_name ELSE r.root_schema END AS schema,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.table_name ELSE r.root_table END AS "table",
       c.primary_key AS "primaryKey", c.before_kind AS "beforeKind",
       ${query.changedOnly ? changedBefore : wholeBefore} AS before,
       ${query.changedOnly ? changedAfter : wholeAfter} AS after,
       ${changedNames} AS changed,
       ${shownContext} AS context, x.authenticity,
       ${isErased('c')} AS erased, ${isErased('x')} AS "contextErased",
       t.actor::text AS actor, ${isErased('t')} AS "actorErased",
       to_char(t.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp,
       t.xid::text AS "transactionId", c.transaction::text AS transaction, c.lsn::text AS position,
       row_problem.reason AS "rowQuarantine", context_problem.reason AS "contextQuarantine"
  FROM page c
  JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
  JOIN ${transactions}
  LEFT JOIN ${contexts}
  LEFT JOIN bemi.quarantine row_problem
         ON row_problem.log = c.log AND row_problem.sequence = c.sequence
        AND row_problem.field = 'row' AND row_problem.part = 0
  LEFT JOIN bemi.quarantine context_problem
         ON context_problem.log = c.log AND context_problem.sequence = x.sequence
        AND context_problem.field = 'context' AND context_problem.part = 0
 ORDER BY c.sequence ${direction}`;
  return { text, values: parameters.values };
}

/** The contexts that a filter names: from the index, and those that upkeep has not put there yet. */
function matchingContexts(query: ChangeQuery, parameters: Parameters): string {
  const log = parameters.add(query.log);
  const indexed = contextConditions(query, 'i.context', parameters).join(' AND ');
  const recent = contextConditions(query, `(r.context::jsonb - '_bemi')`, parameters).join(' AND ');
  // A transaction's changes lie between its first sequence and its commit: that range is what an index finds.
  return `(SELECT i.log, i.transaction, i.context_no FROM bemi.context_index i WHERE i.log = ${log} AND ${indexed}
           UNION ALL
           SELECT r.log, r.transaction, r.context_no FROM bemi.context_log r
            WHERE r.log = ${log} AND r.sequence > bemi.indexed_contexts(${log}) AND ${recent}) m
          ON m.log = c.log AND m.transaction = c.transaction AND m.context_no = c.context_no
          JOIN bemi.transaction_log w
            ON w.log = m.log AND w.transaction = m.transaction AND c.sequence BETWEEN w.transaction AND w.sequence`;
}

/** An entry without salt whose commitment is stored. Of a context that isn't there: false. */
const isErased = (entry: string): string =>
  `coalesce(${entry}.salt IS NULL AND ${entry}.commitment IS NOT NULL, false)`;

const transactions = 'bemi.transaction_log t ON t.log = c.log AND t.transaction = c.transaction';
const contexts =
  'bemi.context_log x ON x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no';

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
