import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { CopyRows } from './copy-rows.ts';

/**
 * Reads a query's rows by binary COPY and hands each to `onRow`, in the order in which they come. Numbers in the query
 * are pasted in: COPY takes no parameters.
 */
export async function copyOut(
  client: pg.ClientBase,
  query: string,
  fieldCount: number,
  onRow: (row: CopyRows) => void,
): Promise<void> {
  const rows = new CopyRows(fieldCount);
  const stream = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`));
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rows.fill(chunk);
    while (rows.advance()) onRow(rows);
  }
}
