import { createHash } from 'node:crypto';
import pg from 'pg';
import type { AppendUnit } from './append-unit.ts';
import { CopyBuffer } from './copy-buffer.ts';
import { copyColumns } from './copy-columns.ts';
import { CopyScript } from './copy-script.ts';

/** A row that the audit database does not take, known by what it says: it gets another sequence when it comes again. */
export interface RejectedRow {
  /** See {@link textsDigest}. */
  readonly digest: string;
  /** Why. */
  readonly sqlState: string;
}

/** Of the fields of a row in COPY format: how many of the last ones are texts that come from the source. */
const textFields = { change_log: 3, context_log: 1 } as const;

/** A digest of texts as they stand in a row in COPY format, each behind its length. */
export function textsDigest(bytes: Uint8Array, start: number, end: number): string {
  return createHash('sha256').update(bytes.subarray(start, end)).digest('base64');
}

/** The digest of a context: its only text. */
export function contextDigest(text: Uint8Array): string {
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  return createHash('sha256').update(length).update(text).digest('base64');
}

/**
 * Finds the changes and contexts of a unit that the audit database rejects, by halving: COPYs of parts of it, each rolled
 * back. Empty where each is taken: then something else was the matter.
 *
 * @param client - of the writer, after the unit failed; in no transaction that matters.
 */
export async function findRejectedRows(client: pg.Client, unit: AppendUnit): Promise<RejectedRow[]> {
  await client.query('ROLLBACK');
  const found: RejectedRow[] = [];
  for (const [table, buffer] of [
    ['change_log', unit.changes],
    ['context_log', unit.contexts],
  ] as const) {
    const rows = rowsOf(buffer);
    const search = async (first: number, end: number): Promise<void> => {
      if (first === end) return;
      const sqlState = await rejection(client, table, buffer.bytes, rows[first]!.start, rows[end - 1]!.end);
      if (sqlState === undefined) return;
      if (end - first === 1) {
        const { fields, end: rowEnd } = rows[first]!;
        const textsStart = fields.at(-textFields[table])!;
        found.push({ digest: textsDigest(buffer.bytes, textsStart, rowEnd), sqlState });
        return;
      }
      const middle = (first + end) >>> 1;
      await search(first, middle);
      await search(middle, end);
    };
    await search(0, rows.length);
  }
  return found;
}

interface RowPlace {
  readonly start: number;
  readonly end: number;
  /** Where each field begins, with its length. */
  readonly fields: readonly number[];
}

function rowsOf({ bytes, length }: CopyBuffer): RowPlace[] {
  const rows: RowPlace[] = [];
  for (let at = CopyBuffer.headerLength; at < length; ) {
    const start = at;
    const fieldCount = bytes.readInt16BE(at);
    at += 2;
    const fields: number[] = [];
    for (let field = 0; field < fieldCount; field++) {
      fields.push(at);
      at += 4 + Math.max(bytes.readInt32BE(at), 0);
    }
    rows.push({ start, end: at, fields });
  }
  return rows;
}

/** Tries rows that follow one another. Returns the SQLSTATE of why they are rejected. */
async function rejection(
  client: pg.Client,
  table: keyof typeof textFields,
  bytes: Buffer,
  start: number,
  end: number,
): Promise<string | undefined> {
  const copy = new CopyBuffer(end - start + CopyBuffer.headerLength);
  copy.append(bytes.subarray(start, end));
  const script = new CopyScript(
    ['BEGIN', `COPY bemi.${table} (${copyColumns[table]}) FROM STDIN (FORMAT binary)`],
    [copy.finished()],
  );
  client.query(script);
  try {
    await script.finished;
    return undefined;
  } catch (error) {
    const state = rejectionState(error);
    if (state === undefined) throw error;
    return state;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** What of the server's source says "internal error" (XX000) of a disk: EDQUOT, EFBIG and others have no SQLSTATE. */
const storageFiles: ReadonlySet<unknown> = new Set([
  'buffile.c',
  'bufmgr.c',
  'fd.c',
  'md.c',
  'slru.c',
  'smgr.c',
  'xlog.c',
]);

/**
 * The SQLSTATE of an error that says that a row can't be taken, whatever is done to the server's state: data exceptions,
 * integrity constraints, program limits, exceptions that triggers raise, and internal errors such as an allocation of more
 * than 1 GB, though not those of its disk. A double key is something else: it stands behind the end of the log.
 */
export function rejectionState(error: unknown): string | undefined {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return undefined;
  const { code, file } = error;
  if (code === 'XX000') return storageFiles.has(file) ? undefined : code;
  return code !== '23505' && ['22', '23', '54', 'P0'].includes(code.slice(0, 2)) ? code : undefined;
}
