import { type BeforeKind, PgoutputError } from '@bemi-db/replication/pgoutput';
import type { Tuple } from '@bemi-db/replication/tuple';
import type { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import { findJsonPoison, type JsonPoison } from './json-poison.ts';
import { type OldRow, writeChangedColumns, writeIdentity, writePrimaryKey, writeRow } from './row-json.ts';
import type { TableShape } from './table-shape.ts';
import { ValueFormError } from './value-json.ts';

const lengthPrefix = 4;

/** Writes `primary_key`, `before` and `after` of a change. Returns why they can't be stored, if so. */
export function writeChangeFields(
  row: CopyBuffer,
  shape: TableShape,
  beforeKind: BeforeKind,
  before: Tuple | undefined,
  after: Tuple | undefined,
): string | undefined {
  const columnCount = shape.encodings.length;
  if ((before && before.columnCount !== columnCount) || (after && after.columnCount !== columnCount)) {
    throw new PgoutputError(
      'row',
      0,
      `${columnCount} columns`,
      `${before?.columnCount} and ${after?.columnCount}`,
    );
  }
  try {
    const old: OldRow | undefined = before && { tuple: before, isKeyOnly: beforeKind === 'key' };
    if (after) writePrimaryKey(row, shape, after, old);
    else if (before) writePrimaryKey(row, shape, before, undefined);
    else writeNull(row);
    const beforeStart = row.length;
    if (!before) writeNull(row);
    else if (beforeKind === 'key') writeIdentity(row, shape, before);
    else if (after) writeChangedColumns(row, shape, before, after);
    else writeRow(row, shape, before, undefined);
    const afterStart = row.length;
    if (after) writeRow(row, shape, after, old);
    else writeNull(row);
    return shape.mayHoldPoison
      ? (fieldPoison(row, beforeStart, afterStart) ?? fieldPoison(row, afterStart, row.length))
      : undefined;
  } catch (error) {
    if (error instanceof ValueFormError) return error.reason;
    throw error;
  }
}

function writeNull(row: CopyBuffer): void {
  row.reserve(lengthPrefix);
  row.null();
}

/** What `jsonb` would reject in the JSON of a field. */
function fieldPoison(row: CopyBuffer, fieldStart: number, fieldEnd: number): JsonPoison | undefined {
  return findJsonPoison(row.bytes, fieldStart + lengthPrefix, fieldEnd);
}
