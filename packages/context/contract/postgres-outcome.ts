import type postgres from 'postgres';
import { errorSeen, type Outcome } from '../test/outcome.ts';

const COPY_IN = /^\s*copy\b[^(]*(?:\([^)]*\))?\s+from\s+stdin/i;
const COPY_OUT = /^\s*copy\b[\s\S]*\bto\s+stdout/i;

/** Runs a text by postgres.js, COPY by streams, and says all that came of it. */
export async function outcomeBy(
  sql: postgres.ISql,
  text: string,
  { extended = false, input = '' }: { readonly extended?: boolean; readonly input?: string | undefined } = {},
): Promise<Outcome> {
  return outcomeOf(async () => {
    if (COPY_IN.test(text)) {
      const stream = await sql.unsafe(text).writable();
      // Not awaited: postgres.js never ends the stream of a COPY that fails.
      stream.end(input);
      return await afterCopy(sql);
    }
    if (COPY_OUT.test(text)) {
      const stream = await sql.unsafe(text).readable();
      let copied = '';
      for await (const chunk of stream) copied += String(chunk);
      return copied;
    }
    return await sql.unsafe(text, [], { simple: !extended } as postgres.UnsafeQueryOptions);
  });
}

/** The next answer, which comes when the COPY is done. */
async function afterCopy(sql: postgres.ISql): Promise<unknown> {
  for (;;) {
    const next = await sql`SHOW transaction_isolation`.catch((error: unknown) => error);
    if ((next as { code?: unknown }).code !== 'COPY_IN_PROGRESS') return next;
  }
}

/** What some work gives, in a form that two runs can be compared by. */
export async function outcomeOf(work: () => PromiseLike<unknown>): Promise<Outcome> {
  try {
    return seen(await work());
  } catch (error) {
    return { ...(errorSeen(error) as object), ...shownOnDemand(error) };
  }
}

/** postgres.js gives results as arrays with members of their own, or several of them in an array. */
export function seen(result: unknown): Outcome {
  if (!Array.isArray(result)) return result;
  const { command, count, columns, statement } = result as unknown as Partial<
    postgres.RowList<postgres.Row[]>
  >;
  const rows = Array.from(result, seen);
  if (command === undefined) return rows;
  const { string, types } = statement ?? { string: undefined, types: undefined };
  const names = columns?.map(({ name, type }: { name: string; type: number }) => [name, type]);
  return { command, count, columns: names, string, types, rows };
}

/** Not enumerable, unless `debug` is on. */
function shownOnDemand(error: unknown): object {
  const { query, parameters, types } = error as Partial<postgres.PostgresError> & { types?: unknown };
  return { query, parameters, types };
}
