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
