import type pg from 'pg';

/** The rows of a query, as the shape that its text promises. */
export async function readRows<Row>(
  client: pg.ClientBase,
  text: string,
  ...values: readonly (string | null)[]
): Promise<readonly Row[]> {
  return (await client.query(text, [...values])).rows as Row[];
}
