import { HASH_BYTES } from './hash.ts';
import { readI64, readU16, readU32, readU64, readU64Number } from './integer.ts';

// The layout of docs/spec/record.md, version 1. Offsets are from the record's first byte.

export const RECORD_VERSION = 1;
export const KIND_CHANGE = 1;
export const KIND_CONTEXT = 2;
export const KIND_COMMIT = 3;
export const KIND_EVENT = 4;

/** Bytes of the longest record: an event whose kind is 255 bytes long. */
export const MAX_RECORD_BYTES = 306;

export const CHANGE_BYTES = 74;
/** Where a change's commitment stands. */
export const CHANGE_COMMITMENT = 42;
export const CONTEXT_BYTES = 57;
/** Where a context's commitment stands. */
export const CONTEXT_COMMITMENT = 25;
export const COMMIT_BYTES = 118;
/** Where a commit's commitment stands: 32 zero bytes without an actor. */
export const COMMIT_COMMITMENT = 86;
/** Bytes of an event's record besides its kind; the commitment is the last 32. */
export const EVENT_FIXED_BYTES = 51;
export const EVENT_KIND = 19;

/** Bit 0 of the flags of a change or a context. */
export const FLAG_QUARANTINED = 1;
/** Bit 0 of the flags of a commit. */
export const FLAG_ACTOR = 1;

export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
export type BeforeKind = 'full' | 'key' | 'none';
export type Authenticity = 'unsigned' | 'authentic' | 'forged' | 'replayed' | 'stale';

/** What the header of a change's record says. A caller may use one object for all its changes. */
export interface ChangeHeader {
  sequence: number;
  /** Sequence of the transaction's first change or context. */
  transaction: number;
  /** Sequence of the `relation` event. */
  relation: number;
  lsn: bigint;
  contextNumber: number;
  operation: Operation;
  beforeKind: BeforeKind;
  quarantined: boolean;
}

/** What the header of a context's record says. */
export interface ContextHeader {
  sequence: number;
  transaction: number;
  contextNumber: number;
  authenticity: Authenticity;
  quarantined: boolean;
}

/** What the header of a commit's record says. Times are microseconds since 2000-01-01 00:00:00 UTC. */
export interface CommitHeader {
  sequence: number;
  transaction: number;
  generation: number;
  commitLsn: bigint;
  endLsn: bigint;
  coveredFromLsn: bigint;
  xid: bigint;
  committedAt: bigint;
  recordedAt: bigint;
  changeCount: number;
  contextCount: number;
  hasActor: boolean;
}

/** What the header of an event's record says. The time is microseconds since 2000-01-01 00:00:00 UTC. */
export interface EventHeader {
  sequence: number;
  at: bigint;
  /** 1 to 255 bytes of UTF-8. */
  eventKind: string;
}

export type DecodedRecord =
  | ({ readonly kind: 'change'; readonly commitment: Uint8Array } & Readonly<ChangeHeader>)
  | ({ readonly kind: 'context'; readonly commitment: Uint8Array } & Readonly<ContextHeader>)
  | ({ readonly kind: 'commit'; readonly commitment: Uint8Array } & Readonly<CommitHeader>)
  | ({ readonly kind: 'event'; readonly commitment: Uint8Array } & Readonly<EventHeader>)
  | { readonly kind: 'opaque'; readonly sequence: number; readonly bytes: Uint8Array };

/** A record that isn't what docs/spec/record.md says of its version and kind. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

const OPERATIONS: Readonly<Record<number, Operation>> = {
  73: 'INSERT',
  85: 'UPDATE',
  68: 'DELETE',
  84: 'TRUNCATE',
};
const BEFORE_KINDS: Readonly<Record<number, BeforeKind>> = { 102: 'full', 107: 'key', 110: 'none' };
const AUTHENTICITIES: Readonly<Record<number, Authenticity>> = {
  117: 'unsigned',
  97: 'authentic',
  102: 'forged',
  114: 'replayed',
  115: 'stale',
};

/**
 * Decodes a record. One of a version or kind that isn't known here is opaque: it counts, and has its place in the
 * tree.
 *
 * @throws RecordError where a record of a known kind has another length or a value that the kind doesn't have
 */
export function decodeRecord(record: Uint8Array): DecodedRecord {
  if (record.length < 10) throw new RecordError(`A record has 10 bytes at least, got ${record.length}.`);
  const sequence = sequenceAt(record, 2, 'sequence');
  if (record[0] !== RECORD_VERSION) return { kind: 'opaque', sequence, bytes: record.slice() };
  switch (record[1]) {
    case KIND_CHANGE:
      return decodeChange(record, sequence);
    case KIND_CONTEXT:
      return decodeContext(record, sequence);
    case KIND_COMMIT:
      return decodeCommit(record, sequence);
    case KIND_EVENT:
      return decodeEvent(record, sequence);
    default:
      return { kind: 'opaque', sequence, bytes: record.slice() };
  }
}

function decodeChange(record: Uint8Array, sequence: number): DecodedRecord {
  expectLength('change', record, CHANGE_BYTES);
  return {
    kind: 'change',
    sequence,
    transaction: sequenceAt(record, 10, 'transaction'),
    relation: sequenceAt(record, 18, 'relation'),
    lsn: readU64(record, 26),
    contextNumber: readU32(record, 34),
    operation: oneOf(OPERATIONS, record, 38, 'operation'),
    beforeKind: oneOf(BEFORE_KINDS, record, 39, 'what is known of the row before'),
    quarantined: flagAt(readU16(record, 40), 40),
    commitment: commitmentAt(record, CHANGE_COMMITMENT),
  };
}

function decodeContext(record: Uint8Array, sequence: number): DecodedRecord {
  expectLength('context', record, CONTEXT_BYTES);
  return {
    kind: 'context',
    sequence,
    transaction: sequenceAt(record, 10, 'transaction'),
    contextNumber: readU32(record, 18),
    authenticity: oneOf(AUTHENTICITIES, record, 22, 'authenticity'),
    quarantined: flagAt(readU16(record, 23), 23),
    commitment: commitmentAt(record, CONTEXT_COMMITMENT),
  };
}

function decodeCommit(record: Uint8Array, sequence: number): DecodedRecord {
  expectLength('commit', record, COMMIT_BYTES);
  const hasActor = flagAt(readU32(record, 82), 82);
  const commitment = commitmentAt(record, COMMIT_COMMITMENT);
  if (!hasActor && commitment.some((byte) => byte !== 0))
    throw new RecordError(`A commit without an actor has 32 zero bytes at offset ${COMMIT_COMMITMENT}.`);
  return {
    kind: 'commit',
    sequence,
    transaction: sequenceAt(record, 10, 'transaction'),
    generation: readU32(record, 18),
    commitLsn: readU64(record, 22),
    endLsn: readU64(record, 30),
    coveredFromLsn: readU64(record, 38),
    xid: readU64(record, 46),
    committedAt: readI64(record, 54),
    recordedAt: readI64(record, 62),
    changeCount: sequenceAt(record, 70, 'number of changes'),
    contextCount: readU32(record, 78),
    hasActor,
    commitment,
  };
}

function decodeEvent(record: Uint8Array, sequence: number): DecodedRecord {
  const kindBytes = record[18] ?? 0;
  if (kindBytes === 0) throw new RecordError("An event's kind has 1 to 255 bytes; at offset 18, got 0.");
  expectLength('event', record, EVENT_FIXED_BYTES + kindBytes);
  return {
    kind: 'event',
    sequence,
    at: readI64(record, 10),
    eventKind: utf8At(record, EVENT_KIND, EVENT_KIND + kindBytes),
    commitment: commitmentAt(record, EVENT_KIND + kindBytes),
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8At(record: Uint8Array, start: number, end: number): string {
  try {
    return utf8.decode(record.subarray(start, end));
  } catch (cause) {
    throw new RecordError(`An event's kind is UTF-8; at offset ${start}, got other bytes.`, { cause });
  }
}

function expectLength(kind: string, record: Uint8Array, expected: number): void {
  if (record.length !== expected)
    throw new RecordError(`The record of this ${kind} has ${expected} bytes, got ${record.length}.`);
}

function sequenceAt(record: Uint8Array, at: number, what: string): number {
  const value = readU64Number(record, at);
  if (!Number.isSafeInteger(value))
    throw new RecordError(`A record's ${what} is below 2^53; at offset ${at}, got ${readU64(record, at)}.`);
  return value;
}

function oneOf<T>(values: Readonly<Record<number, T>>, record: Uint8Array, at: number, what: string): T {
  const byte = record[at]!;
  const value = values[byte];
  if (value === undefined)
    throw new RecordError(
      `Of ${what}, at offset ${at}, one of ${Object.keys(values)
        .map((code) => String.fromCharCode(Number(code)))
        .join(' ')} is expected, got byte ${byte}.`,
    );
  return value;
}

function flagAt(flags: number, at: number): boolean {
  if (flags > 1)
    throw new RecordError(`Only bit 0 of the flags has a meaning; at offset ${at}, got ${flags}.`);
  return flags === 1;
}

function commitmentAt(record: Uint8Array, at: number): Uint8Array {
  return record.slice(at, at + HASH_BYTES);
}
