import type pg from 'pg';
import type { Table } from '../api/log.ts';
import type { Scope } from './scope.ts';

/** The tables of a log that are in a scope, each as it was last recorded. */
export async function lastShapes(client: pg.ClientBase, log: number, scope: Scope): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT DISTINCT ON (r.root_schema, r.root_table) r.root_schema AS schema, r.root_table AS "table",
            ARRAY(SELECT column_ ->> 'name' FROM json_array_elements(r.document -> 'columns') column_) AS columns,
            ARRAY(SELECT json_array_elements_text(r.document -> 'primaryKey')) AS key,
            ARRAY(SELECT column_ ->> 'name' FROM json_array_elements(r.document -> 'columns') column_
                   WHERE column_ ->> 'encoding' IN ('text', 'number', 'boolean', 'timestamp', 'timestamptz')) AS plain
       FROM bemi.relations r WHERE r.log = $1
      ORDER BY r.root_schema, r.root_table, r.relation DESC`,
    [log],
  );
  return rows.filter(({ schema, table }) => scope.includes(schema, table));
}
