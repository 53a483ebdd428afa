import type pg from 'pg';

/** A shape that a table has had, as the log holds it. */
export interface RecordedRelation {
  /** Sequence of the event that put it into the log. */
  readonly relation: number;
  readonly oid: number;
  /** Canonical JSON text. */
  readonly document: string;
}

/** Every shape of a log's tables, oldest first. */
export async function recordedRelations(client: pg.ClientBase, log: number): Promise<RecordedRelation[]> {
  const { rows } = await client.query<{ relation: string; oid: string; document: string }>(
    'SELECT relation, oid, document::text AS document FROM bemi.relations WHERE log = $1 ORDER BY relation',
    [log],
  );
  return rows.map((row) => ({ ...row, relation: Number(row.relation), oid: Number(row.oid) }));
}
