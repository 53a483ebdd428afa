import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/** What an application sees of a statement, in a form that two runs can be compared by. */
export type Outcome = unknown;

const COPY_IN = /^\s*copy\b[^(]*(?:\([^)]*\))?\s+from\s+stdin/i;
const COPY_OUT = /^\s*copy\b[\s\S]*\bto\s+stdout/i;

/** Runs a text, COPY by streams, and says all that came of it. */
export async function outcomeOf(
  client: pg.ClientBase,
  sql: string,
  { extended = false, input = '' }: { readonly extended?: boolean; readonly input?: string | undefined } = {},
): Promise<Outcome> {
  try {
    if (COPY_IN.test(sql)) {
      const stream = client.query(copyFrom(sql));
      await pipeline(Readable.from([input]), stream);
      return { copied: stream.rowCount };
    }
    if (COPY_OUT.test(sql)) {
      let text = '';
      for await (const chunk of client.query(copyTo(sql))) text += String(chunk);
      return { text };
    }
    const result = await client.query({ text: sql, ...(extended ? { queryMode: 'extended' } : {}) });
    return Array.isArray(result) ? result.map(seen) : seen(result);
  } catch (error) {
    return errorSeen(error);
  }
}

function seen({ command, rowCount, rows, fields }: pg.QueryResult): Outcome {
  return { command, rowCount, rows, fields: fields?.map(({ name, dataTypeID }) => [name, dataTypeID]) };
}

/** Its length is that of the server's message, in which the position may have a digit more. */
export function errorSeen(error: unknown): Outcome {
  if (!(error instanceof Error)) return { thrown: error };
  const { length: _, ...fields } = error as Error & { length?: unknown };
  return { ...fields, name: error.name, message: error.message };
}
