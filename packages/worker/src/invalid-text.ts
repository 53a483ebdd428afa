import { isUtf8 } from 'node:buffer';
import { columnText, type Tuple } from '@bemi-db/replication/tuple';
import type { ServerSnapshot } from '@bemi-db/source/source-snapshot';
import type { TableShape } from './table-shape.ts';

const firstVersionWithEscapedChar = 150_000;

/**
 * Which tables' rows may hold bytes that are no UTF-8: all, where the source has no encoding of its own (SQL_ASCII).
 * Before PostgreSQL 15 also those with the type "char", which prints whatever byte it is.
 */
export function invalidTextSuspicion(
  server: Pick<ServerSnapshot, 'version' | 'encoding'>,
): (shape: TableShape) => boolean {
  if (server.encoding === 'SQL_ASCII') return () => true;
  if (server.version < firstVersionWithEscapedChar) return (shape) => shape.mayHoldChar;
  return () => false;
}

export function isTextValid(tuple: Tuple | undefined): boolean {
  if (!tuple) return true;
  for (let column = 0; column < tuple.columnCount; column++) {
    if (tuple.kinds[column] !== columnText) continue;
    if (!isUtf8(tuple.bytes.subarray(tuple.starts[column], tuple.ends[column]))) return false;
  }
  return true;
}
