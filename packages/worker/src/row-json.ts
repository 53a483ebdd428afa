import { createHash } from 'node:crypto';
import { columnNull, columnText, columnUnchanged, type Tuple } from '@bemi-db/replication/tuple';
import type { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import { isJsonTooLarge } from './json-poison.ts';
import { writeByte, writeJsonString, writeRaw } from './json-text.ts';
import type { TableShape } from './table-shape.ts';
import { ValueFormError, writeValue } from './value-json.ts';

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const nullText = Buffer.from('null');
/** Longer values are compared by the system, shorter ones in a loop, which is faster. */
const loopedLength = 32;
/** A B-tree entry holds at most 2,704 bytes, the other columns of the index included. */
const longestKey = 2_000;
/** The length before each field of a binary COPY. */
const fieldHeader = 4;

/** An old row that a new one may take values from. Of kind `key` it only holds the replica identity's columns. */
export interface OldRow {
  readonly tuple: Tuple;
  readonly isKeyOnly: boolean;
}

/** Writes the field of a whole row. An unchanged TOAST value comes from the old row; where the WAL lacks it, its key is absent. */
export function writeRow(out: CopyBuffer, shape: TableShape, row: Tuple, old: OldRow | undefined): void {
  const mark = out.beginField();
  writeByte(out, openBrace);
  let isFirst = true;
  for (let column = 0; column < row.columnCount; column++) {
    let from = row;
    if (row.kinds[column] === columnUnchanged) {
      if (!old || old.tuple.kinds[column] === columnUnchanged) continue;
      if (old.isKeyOnly && !shape.isIdentityColumn[column]) continue;
      from = old.tuple;
    }
    writeMember(out, shape, from, column, isFirst);
    isFirst = false;
  }
  endObject(out, shape, mark);
}

/** Writes the field with those columns of a full old row that an UPDATE changed. */
export function writeChangedColumns(out: CopyBuffer, shape: TableShape, before: Tuple, after: Tuple): void {
  const mark = out.beginField();
  writeByte(out, openBrace);
  let isFirst = true;
  for (let column = 0; column < before.columnCount; column++) {
    if (isUnchanged(before, after, column)) continue;
    writeMember(out, shape, before, column, isFirst);
    isFirst = false;
  }
  endObject(out, shape, mark);
}

/** Writes the field with the replica identity's columns; the stream fills the others with NULLs that mean nothing. */
export function writeIdentity(out: CopyBuffer, shape: TableShape, row: Tuple): void {
  const mark = out.beginField();
  writeByte(out, openBrace);
  let isFirst = true;
  for (let column = 0; column < row.columnCount; column++) {
    // What is left out was marked so.
    if (!shape.isIdentityColumn[column] || row.kinds[column] === columnUnchanged) continue;
    writeMember(out, shape, row, column, isFirst);
    isFirst = false;
  }
  endObject(out, shape, mark);
}

function endObject(out: CopyBuffer, shape: TableShape, mark: number): void {
  writeByte(out, closeBrace);
  const start = mark + fieldHeader;
  if (isJsonTooLarge(out.bytes, start, out.length))
    throw new ValueFormError('A row would be larger as jsonb than jsonb may be', 'too-large');
  // A composite type that was altered meanwhile: what does not fit it must not make the row invalid JSON.
  if (shape.holdsComposites && !isJson(out.bytes, start, out.length))
    throw new ValueFormError('A composite value is not of its type');
  out.endField(mark);
}

function isJson(bytes: Buffer, start: number, end: number): boolean {
  try {
    JSON.parse(bytes.toString('utf8', start, end));
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes the primary key's field: the text of the one column, or a JSON array of texts. NULL where the table has
 * none, or the WAL does not hold it. A key too long for the index that finds records is replaced by its SHA-256.
 */
export function writePrimaryKey(
  out: CopyBuffer,
  shape: TableShape,
  row: Tuple,
  old: OldRow | undefined,
): void {
  const { keyColumns, keyReplaced } = shape;
  const count = keyColumns.length;
  if (count === 0 || !isKeyPresent(keyColumns, row, old)) {
    out.reserve(4);
    out.null();
    return;
  }
  const mark = out.beginField();
  if (count === 1) {
    const column = keyColumns[0]!;
    const from = holder(row, old, column);
    const text = keyReplaced?.[column]?.(from.bytes.subarray(from.starts[column], from.ends[column]));
    if (text) writeRaw(out, text, 0, text.length);
    else writeRaw(out, from.bytes, from.starts[column]!, from.ends[column]!);
  } else {
    for (let i = 0; i < count; i++) {
      const column = keyColumns[i]!;
      const from = holder(row, old, column);
      writeByte(out, i === 0 ? openBracket : comma);
      const text = keyReplaced?.[column]?.(from.bytes.subarray(from.starts[column], from.ends[column]));
      if (text) writeJsonString(out, text, 0, text.length);
      else writeJsonString(out, from.bytes, from.starts[column]!, from.ends[column]!);
    }
    writeByte(out, closeBracket);
  }
  if (out.length - mark - fieldHeader > longestKey) shortenKey(out, mark + fieldHeader);
  out.endField(mark);
}

function shortenKey(out: CopyBuffer, start: number): void {
  const digest = createHash('sha256').update(out.bytes.subarray(start, out.length)).digest('hex');
  out.length = start + out.bytes.write(`sha256:${digest}`, start, 'latin1');
}

function isKeyPresent(keyColumns: readonly number[], row: Tuple, old: OldRow | undefined): boolean {
  for (let i = 0; i < keyColumns.length; i++) {
    const column = keyColumns[i]!;
    if (column >= row.columnCount || holder(row, old, column).kinds[column] !== columnText) return false;
  }
  return true;
}

function holder(row: Tuple, old: OldRow | undefined, column: number): Tuple {
  return row.kinds[column] === columnUnchanged && old ? old.tuple : row;
}

function writeMember(out: CopyBuffer, shape: TableShape, row: Tuple, column: number, isFirst: boolean): void {
  if (!isFirst) writeByte(out, comma);
  const name = shape.memberNames[column]!;
  writeRaw(out, name, 0, name.length);
  if (row.kinds[column] === columnNull) writeRaw(out, nullText, 0, 4);
  else writeValue(out, shape.encodings[column]!, row.bytes, row.starts[column]!, row.ends[column]!);
}

/** Whether an UPDATE changed some of the columns that are marked by 1, and no other. */
export function onlyMarkedDiffer(before: Tuple, after: Tuple, marked: Uint8Array): boolean {
  let isChanged = false;
  for (let column = 0; column < before.columnCount; column++) {
    if (isUnchanged(before, after, column)) continue;
    if (marked[column] === 0) return false;
    isChanged = true;
  }
  return isChanged;
}

function isUnchanged(before: Tuple, after: Tuple, column: number): boolean {
  const kind = after.kinds[column];
  if (kind === columnUnchanged) return true;
  if (kind !== before.kinds[column]) return false;
  if (kind === columnNull) return true;
  const start = before.starts[column]!;
  const length = before.ends[column]! - start;
  const otherStart = after.starts[column]!;
  const otherEnd = after.ends[column]!;
  if (length !== otherEnd - otherStart) return false;
  const { bytes } = before;
  const other = after.bytes;
  if (length > loopedLength) return bytes.compare(other, otherStart, otherEnd, start, start + length) === 0;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== other[otherStart + i]) return false;
  return true;
}
