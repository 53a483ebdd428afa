import type pg from 'pg';
import type { AuditReading } from './readings.ts';

interface Row {
  readonly databaseBytes: string;
  readonly entries: string | null;
  readonly quarantinedRows: string;
  readonly quarantinedContexts: string;
  readonly checkpointAgeSeconds: number | null;
}

/** Looks at a log and the database that it is in. Only where a worker has made its schema. */
export async function readAudit(client: pg.ClientBase, logName: string): Promise<AuditReading> {
  const { rows } = await client.query<Row>(
    `SELECT pg_database_size(current_database())::text AS "databaseBytes", l.next_sequence::text AS entries,
            count(q) FILTER (WHERE q.field = 'row')::text AS "quarantinedRows",
            count(q) FILTER (WHERE q.field = 'context')::text AS "quarantinedContexts",
            extract(epoch FROM clock_timestamp() - f.signed_at)::float8 AS "checkpointAgeSeconds"
       FROM (SELECT $1::text AS name) wanted
       LEFT JOIN bemi.logs l USING (name) LEFT JOIN bemi.frontier f USING (log)
       LEFT JOIN bemi.quarantine q ON q.log = l.log AND q.part = 0 AND q.bytes IS NOT NULL
      GROUP BY l.next_sequence, f.signed_at`,
    [logName],
  );
  const row = rows[0]!;
  return {
    atMs: performance.now(),
    databaseBytes: Number(row.databaseBytes),
    entries: Number(row.entries ?? 0),
    quarantinedRows: Number(row.quarantinedRows),
    quarantinedContexts: Number(row.quarantinedContexts),
    checkpointAgeSeconds: row.checkpointAgeSeconds ?? undefined,
  };
}
