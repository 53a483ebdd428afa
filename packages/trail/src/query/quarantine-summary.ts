import type pg from 'pg';

/** What is in quarantine for one reason. Counts and sequences are texts, exact. */
export interface QuarantineGroup {
  readonly field: 'row' | 'context';
  /** Of rows: the table, at the root of a partition. */
  readonly schema: string | null;
  readonly table: string | null;
  readonly reason: string;
  readonly count: string;
  /** Of the newest. */
  readonly lastSequence: string;
}

/** What a log has in quarantine and is not erased, by table and reason, most first; a few groups at most. */
export async function quarantineGroups(
  client: pg.ClientBase,
  log: number,
  limit = 10,
): Promise<QuarantineGroup[]> {
  const { rows } = await client.query<QuarantineGroup>(
    `SELECT q.field, r.root_schema AS schema, r.root_table AS table, q.reason, count(*)::text AS count,
            max(q.sequence)::text AS "lastSequence"
       FROM bemi.quarantine q
       LEFT JOIN bemi.change_log c ON q.field = 'row' AND c.log = q.log AND c.sequence = q.sequence
       LEFT JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
      WHERE q.log = $1 AND q.part = 0 AND q.bytes IS NOT NULL
      GROUP BY q.field, r.root_schema, r.root_table, q.reason
      ORDER BY count(*) DESC, q.reason LIMIT $2`,
    [log, limit],
  );
  return rows;
}
