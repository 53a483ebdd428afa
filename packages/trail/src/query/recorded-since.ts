import type pg from 'pg';

export interface RecordedSince {
  readonly schema: string;
  readonly table: string;
  /** When the log first knew it, RFC 3339 in UTC: at its first change. */
  readonly since: string;
}

/** Since when each table is in a log. A table that was never changed is not in it. */
export async function recordedSince(client: pg.ClientBase, log: number): Promise<readonly RecordedSince[]> {
  const { rows } = await client.query<RecordedSince>(
    `SELECT r.schema_name AS schema, r.table_name AS "table",
            to_char(min(e.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS since
       FROM bemi.relations r JOIN bemi.event_log e ON e.log = r.log AND e.sequence = r.relation
      WHERE r.log = $1 GROUP BY 1, 2`,
    [log],
  );
  return rows;
}
