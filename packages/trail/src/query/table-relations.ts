import type pg from 'pg';
import type { TableFilter } from './change-filter.ts';

/** Numbers of all shapes that tables of these names have had. A partition belongs to the table at its root. */
export async function relationsOf(
  client: pg.ClientBase,
  log: number,
  tables: readonly TableFilter[],
): Promise<string[]> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT DISTINCT r.relation
       FROM unnest($2::text[], $3::text[]) AS wanted(schema, name)
       JOIN bemi.relations r
         ON r.root_table = wanted.name AND (wanted.schema IS NULL OR r.root_schema = wanted.schema)
            OR r.table_name = wanted.name AND (wanted.schema IS NULL OR r.schema_name = wanted.schema)
      WHERE r.log = $1`,
    [log, tables.map(({ schema }) => schema ?? null), tables.map(({ name }) => name)],
  );
  return rows.map((row) => row.relation);
}

/** The numbers of these shapes' tables, as the index of changes has them: of each table's first shape, at its root. */
export async function tableNumbers(
  client: pg.ClientBase,
  log: number,
  relations: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ number: string }>(
    `SELECT min(r.relation) AS number FROM bemi.relations r
      WHERE r.log = $1 GROUP BY r.root_schema, r.root_table HAVING bool_or(r.relation = ANY ($2::bigint[]))`,
    [log, relations],
  );
  return rows.map((row) => row.number);
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
    [log, await relationsOf(client, log, [table])],
  );
  return rows;
}

/** How many changes of a table are erased: their keys are gone, so no key finds them. */
export async function erasedChanges(client: pg.ClientBase, log: number, table: TableFilter): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM bemi.change_log
      WHERE log = $1 AND relation = ANY ($2::bigint[]) AND primary_key IS NULL AND salt IS NULL AND commitment IS NOT NULL`,
    [log, await relationsOf(client, log, [table])],
  );
  return Number(rows[0]!.count);
}
