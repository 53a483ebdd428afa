import { encodeFields } from '@bemi-db/proof/commitment';
import { HASH_BYTES } from '@bemi-db/proof/hash';
import { writeU16, writeU32 } from '@bemi-db/proof/integer';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import {
  CHANGE_BYTES,
  COMMIT_BYTES,
  CONTEXT_BYTES,
  EVENT_FIXED_BYTES,
  EVENT_KIND,
  FLAG_ACTOR,
  FLAG_QUARANTINED,
  KIND_CHANGE,
  KIND_COMMIT,
  KIND_CONTEXT,
  KIND_EVENT,
  RECORD_VERSION,
} from '@bemi-db/proof/record';
import type { Withheld } from '../append/entry-record.ts';
import type { CopyRows } from './copy-rows.ts';

// Records (docs/spec/record.md) from rows as binary COPY has them: integers, LSNs and times have the same bytes in both,
// and are copied; nothing is made of them in between. Each function writes to `target` at `at`, where there is room.
//
// A row that no record can be made of (a number of another width, a word that isn't one of the format's) is a
// RangeError: whoever stored it was not the writer.

/** Columns of a change, in the order that {@link writeChangeOfRow} wants. The operation begins its commitment. */
export const changeColumns =
  'sequence, transaction, relation, context_no, lsn, before_kind, operation, salt, primary_key, before, after, commitment';
/** Columns of a context; the authenticity begins its commitment. */
export const contextColumns = 'sequence, transaction, context_no, authenticity, salt, context, commitment';
/** Columns of a commit; the word `actor` begins its commitment. */
export const commitColumns = `sequence, transaction, generation, commit_lsn, end_lsn, covered_from_lsn, xid, committed_at, recorded_at,
   change_count, context_count, 'actor'::text, salt, actor, commitment`;
/** Columns of an event; its kind begins its commitment. */
export const eventColumns = 'sequence, at, kind, salt, actor, payload, commitment';

export const columnCounts = { change: 12, context: 7, commit: 15, event: 7 } as const;

export const changeRow = { salt: 7, commitment: 11 } as const;
export const contextRow = { salt: 4, commitment: 6 } as const;
export const commitRow = { salt: 12, actor: 13, commitment: 14 } as const;
export const eventRow = { eventKind: 2, salt: 3, actor: 4, payload: 5, commitment: 6 } as const;

const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'].map((word) => Buffer.from(word));
const beforeKinds = ['full', 'key', 'none'].map((word) => Buffer.from(word));
const authenticities = ['unsigned', 'authentic', 'forged', 'replayed', 'stale'].map((word) =>
  Buffer.from(word),
);

export function writeChangeOfRow(
  row: CopyRows,
  target: Uint8Array,
  at: number,
  withheld: Withheld | undefined,
): number {
  begin(row, target, at, KIND_CHANGE);
  copy8(row, 1, target, at + 10);
  copy8(row, 2, target, at + 18);
  copy8(row, 4, target, at + 26);
  copy4(row, 3, target, at + 34);
  target[at + 38] = firstLetter(row, 6, operations);
  target[at + 39] = firstLetter(row, 5, beforeKinds);
  writeU16(target, at + 40, flag(withheld));
  return commit(row, 6, 10, withheld, target, at + CHANGE_BYTES);
}

export function writeContextOfRow(
  row: CopyRows,
  target: Uint8Array,
  at: number,
  withheld: Withheld | undefined,
): number {
  begin(row, target, at, KIND_CONTEXT);
  copy8(row, 1, target, at + 10);
  copy4(row, 2, target, at + 18);
  target[at + 22] = firstLetter(row, 3, authenticities);
  writeU16(target, at + 23, flag(withheld));
  return commit(row, 3, 5, withheld, target, at + CONTEXT_BYTES);
}

export function writeCommitOfRow(
  row: CopyRows,
  target: Uint8Array,
  at: number,
  withheld: Withheld | undefined,
): number {
  begin(row, target, at, KIND_COMMIT);
  copy8(row, 1, target, at + 10);
  copy4(row, 2, target, at + 18);
  for (let field = 3; field <= 9; field++) copy8(row, field, target, at + 22 + (field - 3) * 8);
  copy4(row, 10, target, at + 78);
  const hasActor = !(row.isNull(commitRow.actor) && row.isNull(commitRow.commitment));
  writeU32(target, at + 82, hasActor ? FLAG_ACTOR : 0);
  const end = at + COMMIT_BYTES;
  if (hasActor) return commit(row, 11, 13, withheld, target, end);
  target.fill(0, end - HASH_BYTES, end);
  return end;
}

export function writeEventOfRow(
  row: CopyRows,
  target: Uint8Array,
  at: number,
  withheld: Withheld | undefined,
): number {
  begin(row, target, at, KIND_EVENT);
  copy8(row, 1, target, at + 10);
  const start = row.starts[eventRow.eventKind]!;
  const length = row.ends[eventRow.eventKind]! - start;
  if (length < 1 || length > 255) throw new RangeError(`An event's kind has 1 to 255 bytes, got ${length}`);
  target[at + 18] = length;
  for (let i = 0; i < length; i++) target[at + EVENT_KIND + i] = row.bytes[start + i]!;
  return commit(row, eventRow.eventKind, eventRow.payload, withheld, target, at + EVENT_FIXED_BYTES + length);
}

function begin(row: CopyRows, target: Uint8Array, at: number, kind: number): void {
  target[at] = RECORD_VERSION;
  target[at + 1] = kind;
  copy8(row, 0, target, at + 2);
}

/** Writes the commitment to the fields from `first` to `last` before `end`, and returns `end`. */
function commit(
  row: CopyRows,
  first: number,
  last: number,
  withheld: Withheld | undefined,
  target: Uint8Array,
  end: number,
): number {
  const start = row.starts[first]! - lengthBytes;
  const stop = row.isNull(last) ? row.starts[last]! : row.ends[last]!;
  const at = end - HASH_BYTES;
  if (!withheld) sha256Into(row.bytes, start, stop, target, at);
  else if (withheld.state === 'erased') target.set(withheld.commitment, at);
  else {
    const { reason, bytesHash } = withheld;
    const list = Buffer.concat([row.bytes.subarray(start, stop), encodeFields([reason, bytesHash])]);
    sha256Into(list, 0, list.length, target, at);
  }
  return end;
}

/** Before each field stands its length. */
const lengthBytes = 4;

function flag(withheld: Withheld | undefined): number {
  if (!withheld) return 0;
  return withheld.state === 'quarantined' || withheld.isQuarantined ? FLAG_QUARANTINED : 0;
}

/** The letter that a record has for a word. All of the word is compared: the view reads it. */
function firstLetter(row: CopyRows, field: number, words: readonly Uint8Array[]): number {
  const start = row.starts[field]!;
  const length = row.ends[field]! - start;
  const { bytes } = row;
  for (const word of words) {
    if (word.length !== length) continue;
    let i = 0;
    while (i < length && bytes[start + i] === word[i]) i++;
    if (i === length) return word[0]!;
  }
  throw new RangeError('A word that is none of the format');
}

function copy8(row: CopyRows, field: number, target: Uint8Array, at: number): void {
  const { bytes } = row;
  const start = row.starts[field]!;
  if (row.ends[field]! - start !== 8) throw new RangeError('A number of another width');
  target[at] = bytes[start]!;
  target[at + 1] = bytes[start + 1]!;
  target[at + 2] = bytes[start + 2]!;
  target[at + 3] = bytes[start + 3]!;
  target[at + 4] = bytes[start + 4]!;
  target[at + 5] = bytes[start + 5]!;
  target[at + 6] = bytes[start + 6]!;
  target[at + 7] = bytes[start + 7]!;
}

function copy4(row: CopyRows, field: number, target: Uint8Array, at: number): void {
  const { bytes } = row;
  const start = row.starts[field]!;
  if (row.ends[field]! - start !== 4) throw new RangeError('A number of another width');
  target[at] = bytes[start]!;
  target[at + 1] = bytes[start + 1]!;
  target[at + 2] = bytes[start + 2]!;
  target[at + 3] = bytes[start + 3]!;
}
