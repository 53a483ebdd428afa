import type pg from 'pg';

/** How many of a log's newest changes say who made them. */
export interface ContextShare {
  /** How many of the log's newest entries were looked at. */
  readonly entries: number;
  /** When the oldest transaction in them committed: ISO 8601 in UTC; `undefined` where there is none. */
  readonly since: string | undefined;
  /** Of each table with changes among them, those with the most changes without context first. */
  readonly tables: readonly TableShare[];
}

export interface TableShare {
  /** Of a partition: of the table at its root. */
  readonly schema: string;
  readonly table: string;
  readonly changes: number;
  /** Without a context, with an empty one, or with one that is in quarantine. */
  readonly without: number;
  /** Who made these, as far as triggers of the source report it; most changes first. */
  readonly writers: readonly Writer[];
}

export interface Writer {
  readonly sessionUser: string;
  readonly application: string | undefined;
  readonly changes: number;
}

/**
 * SQL over `context_log x`: whether the context says anything. One that was erased did; one in quarantine says nothing that
 * could be read; and of one without members nothing is left but, perhaps, its signature.
 */
export const saysSomething = String.raw`
  CASE WHEN x.context IS NULL THEN x.salt IS NULL
       ELSE x.context::text !~ '^\s*\{\s*("_bemi"\s*:\s*\{[^{}]*\}\s*)?\}\s*$' END`;

/**
 * Counts, by table, the changes without a context among the newest entries of a log: what it costs depends on how many
 * these are, and not on the log.
 */
export async function contextShare(
  client: pg.ClientBase,
  log: number,
  newestEntries: number,
): Promise<ContextShare> {
  const { rows: bounds } = await client.query<{ next: string; first: string; since: string | null }>(
    `SELECT l.next_sequence AS next, greatest(l.next_sequence - $2::bigint, 0) AS first,
            (SELECT to_char(t.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bemi.transaction_log t
              WHERE t.log = l.log AND t.sequence >= l.next_sequence - $2::bigint ORDER BY t.sequence LIMIT 1) AS since
       FROM bemi.logs l WHERE l.log = $1`,
    [log, newestEntries],
  );
  const { next, first, since } = bounds[0]!;
  const { rows } = await client.query<ShareRow>(shareQuery, [log, first]);
  const tables = new Map<string, ShareRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.schema, row.table]);
    tables.set(key, [...(tables.get(key) ?? []), row]);
  }
  return {
    entries: Number(BigInt(next) - BigInt(first)),
    since: since ?? undefined,
    tables: [...tables.values()]
      .map(tableShare)
      .sort((a, b) => b.without - a.without || b.changes - a.changes),
  };
}

interface ShareRow {
  readonly schema: string;
  readonly table: string;
  readonly hasContext: boolean;
  readonly sessionUser: string | null;
  readonly application: string | null;
  readonly changes: number;
}

// $1: log, $2: sequence of the first entry. The transaction that it cuts in two may have its contexts before it.
const shareQuery = `
  WITH said AS MATERIALIZED (
    SELECT x.transaction, x.context_no FROM bemi.context_log x
     WHERE x.log = $1 AND x.sequence >= $2::bigint AND ${saysSomething}
    UNION ALL
    SELECT x.transaction, x.context_no FROM bemi.context_log x
     WHERE x.log = $1 AND x.sequence < $2::bigint AND ${saysSomething}
       AND x.transaction = (SELECT c.transaction FROM bemi.change_log c
                             WHERE c.log = $1 AND c.sequence >= $2::bigint ORDER BY c.sequence LIMIT 1)
  ), counted AS (
    SELECT c.relation, x.transaction IS NOT NULL AS has_context,
           CASE WHEN x.transaction IS NULL THEN t.actor ->> 'session_user' END AS session_user_name,
           CASE WHEN x.transaction IS NULL THEN t.actor ->> 'application_name' END AS application,
           count(*) AS changes
      FROM bemi.change_log c
      JOIN bemi.transaction_log t ON t.log = $1 AND t.sequence >= $2::bigint AND t.transaction = c.transaction
      LEFT JOIN said x ON x.transaction = c.transaction AND x.context_no = c.context_no
     WHERE c.log = $1 AND c.sequence >= $2::bigint
     GROUP BY 1, 2, 3, 4)
  SELECT r.root_schema AS schema, r.root_table AS "table", n.has_context AS "hasContext",
         n.session_user_name AS "sessionUser", n.application, sum(n.changes)::int AS changes
    FROM counted n
    JOIN bemi.relations r ON r.log = $1 AND r.relation = n.relation
   GROUP BY 1, 2, 3, 4, 5`;

function tableShare(rows: readonly ShareRow[]): TableShare {
  const [{ schema, table }] = rows as [ShareRow];
  const without = rows.filter(({ hasContext }) => !hasContext);
  const writers = without.flatMap(({ sessionUser, application, changes }) =>
    sessionUser === null ? [] : [{ sessionUser, application: application ?? undefined, changes }],
  );
  return {
    schema,
    table,
    changes: total(rows),
    without: total(without),
    writers: writers.sort((a, b) => b.changes - a.changes),
  };
}

function total(rows: readonly ShareRow[]): number {
  return rows.reduce((sum, { changes }) => sum + changes, 0);
}
