import type pg from 'pg';

/** What the `ddl` events of a log name after an entry: oids of tables, and whether a publication was one of them. */
export async function ddlSince(
  client: pg.ClientBase,
  log: number,
  sequence: number,
): Promise<{ readonly oids: readonly number[]; readonly publication: boolean }> {
  const { rows } = await client.query<{ oid: string | null; kind: string | null }>(
    `SELECT DISTINCT coalesce(o -> 'table', o) ->> 'oid' AS oid, o ->> 'kind' AS kind
       FROM bemi.event_log e
      CROSS JOIN LATERAL json_array_elements(CASE json_typeof(e.payload #> '{message,objects}')
                                               WHEN 'array' THEN e.payload #> '{message,objects}' ELSE '[]' END) o
      WHERE e.log = $1 AND e.kind = 'ddl' AND e.sequence > $2`,
    [log, sequence],
  );
  return {
    oids: rows.flatMap(({ oid }) => (oid === null ? [] : [Number(oid)])),
    publication: rows.some(({ kind }) => kind?.startsWith('publication')),
  };
}
