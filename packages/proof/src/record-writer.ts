import { HASH_BYTES } from './hash.ts';
import { writeU16, writeU32, writeU64, writeU64Number } from './integer.ts';
import {
  type Authenticity,
  type BeforeKind,
  CHANGE_BYTES,
  type ChangeHeader,
  COMMIT_BYTES,
  COMMIT_COMMITMENT,
  CONTEXT_BYTES,
  type CommitHeader,
  type ContextHeader,
  EVENT_FIXED_BYTES,
  EVENT_KIND,
  type EventHeader,
  KIND_CHANGE,
  KIND_COMMIT,
  KIND_CONTEXT,
  KIND_EVENT,
  type Operation,
  RECORD_VERSION,
} from './record.ts';

// Records by docs/spec/record.md. Each function writes a record's header to `target` at `at` and returns the
// record's end; the 32 bytes before the end are the commitment's, which the caller hashes or copies to their place.
//
// So an entry costs two hashes and no allocation:
//
//   scratch[0] = LEAF_PREFIX;                                          // once
//   hash(row, fieldsStart, fieldsEnd, scratch, 1 + CHANGE_COMMITMENT);
//   const end = writeChangeRecord(scratch, 1, header);
//   hash(scratch, 0, end, leafHashes, count * HASH_BYTES);

const OPERATION_CODES: Readonly<Record<Operation, number>> = {
  INSERT: 73,
  UPDATE: 85,
  DELETE: 68,
  TRUNCATE: 84,
};
const BEFORE_CODES: Readonly<Record<BeforeKind, number>> = { full: 102, key: 107, none: 110 };
const AUTHENTICITY_CODES: Readonly<Record<Authenticity, number>> = {
  unsigned: 117,
  authentic: 97,
  forged: 102,
  replayed: 114,
  stale: 115,
};

/** Writes all of a change's record but the commitment, which stands at `at + CHANGE_COMMITMENT`. */
export function writeChangeRecord(target: Uint8Array, at: number, header: ChangeHeader): number {
  const end = at + CHANGE_BYTES;
  begin(target, at, end, KIND_CHANGE, header.sequence);
  writeSequence(target, at + 10, header.transaction);
  writeSequence(target, at + 18, header.relation);
  writeU64(target, at + 26, header.lsn);
  writeU32(target, at + 34, header.contextNumber);
  target[at + 38] = OPERATION_CODES[header.operation];
  target[at + 39] = BEFORE_CODES[header.beforeKind];
  writeU16(target, at + 40, header.quarantined ? 1 : 0);
  return end;
}

/** Writes all of a context's record but the commitment, which stands at `at + CONTEXT_COMMITMENT`. */
export function writeContextRecord(target: Uint8Array, at: number, header: ContextHeader): number {
  const end = at + CONTEXT_BYTES;
  begin(target, at, end, KIND_CONTEXT, header.sequence);
  writeSequence(target, at + 10, header.transaction);
  writeU32(target, at + 18, header.contextNumber);
  target[at + 22] = AUTHENTICITY_CODES[header.authenticity];
  writeU16(target, at + 23, header.quarantined ? 1 : 0);
  return end;
}

/**
 * Writes all of a commit's record but the commitment to an actor, which stands at `at + COMMIT_COMMITMENT`; without
 * an actor, the zero bytes there too.
 */
export function writeCommitRecord(target: Uint8Array, at: number, header: CommitHeader): number {
  const end = at + COMMIT_BYTES;
  begin(target, at, end, KIND_COMMIT, header.sequence);
  writeSequence(target, at + 10, header.transaction);
  writeU32(target, at + 18, header.generation);
  writeU64(target, at + 22, header.commitLsn);
  writeU64(target, at + 30, header.endLsn);
  writeU64(target, at + 38, header.coveredFromLsn);
  writeU64(target, at + 46, header.xid);
  writeU64(target, at + 54, header.committedAt);
  writeU64(target, at + 62, header.recordedAt);
  writeSequence(target, at + 70, header.changeCount);
  writeU32(target, at + 78, header.contextCount);
  writeU32(target, at + 82, header.hasActor ? 1 : 0);
  if (!header.hasActor) target.fill(0, at + COMMIT_COMMITMENT, end);
  return end;
}

const utf8 = new TextEncoder();

/**
 * Writes all of an event's record but the commitment, which stands at the returned end - 32.
 *
 * @throws RangeError where the kind isn't 1 to 255 bytes long
 */
export function writeEventRecord(target: Uint8Array, at: number, header: EventHeader): number {
  const kind = utf8.encode(header.eventKind);
  if (kind.length < 1 || kind.length > 255)
    throw new RangeError(`An event's kind has 1 to 255 bytes, got ${kind.length}.`);
  const end = at + EVENT_FIXED_BYTES + kind.length;
  begin(target, at, end, KIND_EVENT, header.sequence);
  writeU64(target, at + 10, header.at);
  target[at + 18] = kind.length;
  target.set(kind, at + EVENT_KIND);
  return end;
}

function begin(target: Uint8Array, at: number, end: number, kind: number, sequence: number): void {
  // Writes beyond a typed array's end are lost without a word.
  if (end > target.length)
    throw new RangeError(`The record needs ${end} bytes of the target, which has ${target.length}.`);
  target[at] = RECORD_VERSION;
  target[at + 1] = kind;
  writeSequence(target, at + 2, sequence);
}

function writeSequence(target: Uint8Array, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`Sequences and counts are whole numbers from 0 to 2^53 - 1, got ${value}.`);
  writeU64Number(target, at, value);
}

/** A record in an array of its own, from one of the writers above and its commitment (none: zero bytes). */
export function recordOf<Header>(
  write: (target: Uint8Array, at: number, header: Header) => number,
  header: Header,
  commitment?: Uint8Array,
): Uint8Array {
  const target = new Uint8Array(512);
  const end = write(target, 0, header);
  if (commitment !== undefined) target.set(commitment, end - HASH_BYTES);
  return target.slice(0, end);
}
