import type pg from 'pg';
import type { TableFilter } from './change-filter.ts';

/** Numbers of all shapes that tables of this name have had. A partition belongs to the table at its root. */
export async function relationsOf(client: pg.ClientBase, log: number, table: TableFilter): Promise<string[]> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT relation FROM bemi.relations
      WHERE log = $1
        AND (root_table = $2 AND ($3::text IS NULL OR root_schema = $3)
             OR table_name = $2 AND ($3::text IS NULL OR schema_name = $3))`,
    [log, table.name, table.schema ?? null],
  );
  return rows.map((row) => row.relation);
}

/** Tables of this name that a log has changes of, each at its root. */
export async function tablesNamed(
  client: pg.ClientBase,
  log: number,
  table: TableFilter,
): Promise<{ readonly schema: string; readonly name: string }[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT DISTINCT root_schema AS schema, root_table AS name FROM bemi.relations
      WHERE log = $1 AND relation = ANY ($2::bigint[]) ORDER BY 1, 2`,
    [log, await relationsOf(client, log, table)],
  );
  return rows;
}

/** How many changes of a table are erased: their keys are gone, so no key finds them. */
export async function erasedChanges(client: pg.ClientBase, log: number, table: TableFilter): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM bemi.change_log
      WHERE log = $1 AND relation = ANY ($2::bigint[]) AND primary_key IS NULL AND salt IS NULL AND commitment IS NOT NULL`,
    [log, await relationsOf(client, log, table)],
  );
  return Number(rows[0]!.count);
}
