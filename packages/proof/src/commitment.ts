import { HASH_BYTES, type HashInto } from './hash.ts';
import { writeU32 } from './integer.ts';
import type { Authenticity, Operation } from './record.ts';

/** A field of a commitment's list: text as UTF-8, bytes as they are, or NULL. */
export type Field = string | Uint8Array | null;

const utf8 = new TextEncoder();

/**
 * A list of fields as bytes: for each its length as a big-endian i32 and its bytes, or ff ff ff ff for NULL, as
 * `COPY … (FORMAT binary)` has them (docs/spec/record.md, Commitments). The commitment is the hash of that.
 */
export function encodeFields(fields: readonly Field[]): Uint8Array {
  const encoded = fields.map((field) => (typeof field === 'string' ? utf8.encode(field) : field));
  const list = new Uint8Array(encoded.reduce((bytes, field) => bytes + 4 + (field?.length ?? 0), 0));
  let at = 0;
  for (const field of encoded) {
    writeU32(list, at, field === null ? 0xffffffff : field.length);
    at += 4;
    if (field === null) continue;
    list.set(field, at);
    at += field.length;
  }
  return list;
}

/** The commitment to a list of fields: 32 bytes. For where entries are few: a row of COPY is hashed as it stands. */
export function commitmentOf(hash: HashInto, fields: readonly Field[]): Uint8Array {
  const list = encodeFields(fields);
  const commitment = new Uint8Array(HASH_BYTES);
  hash(list, 0, list.length, commitment, 0);
  return commitment;
}

/** What follows in the list of an entry in quarantine. */
export interface Quarantine {
  readonly reason: string;
  /** SHA-256 of the quarantined bytes. */
  readonly bytesHash: Uint8Array;
}

function quarantineFields(quarantine: Quarantine | undefined): readonly Field[] {
  return quarantine === undefined ? [] : [quarantine.reason, quarantine.bytesHash];
}

/** The fields that a change commits to. */
export function changeFields(change: {
  readonly operation: Operation;
  readonly salt: Uint8Array;
  readonly primaryKey: Field;
  readonly before: Field;
  readonly after: Field;
  readonly quarantine?: Quarantine | undefined;
}): readonly Field[] {
  return [
    change.operation,
    change.salt,
    change.primaryKey,
    change.before,
    change.after,
    ...quarantineFields(change.quarantine),
  ];
}

/** The fields that a context commits to. */
export function contextFields(context: {
  readonly authenticity: Authenticity;
  readonly salt: Uint8Array;
  readonly context: Field;
  readonly quarantine?: Quarantine | undefined;
}): readonly Field[] {
  return [context.authenticity, context.salt, context.context, ...quarantineFields(context.quarantine)];
}

/** The fields that a commit with an actor commits to. */
export function commitActorFields(salt: Uint8Array, actor: Field): readonly Field[] {
  return ['actor', salt, actor];
}

/** The fields that an event commits to. */
export function eventFields(event: {
  readonly eventKind: string;
  readonly salt: Uint8Array;
  readonly actor: Field;
  readonly payload: Field;
}): readonly Field[] {
  return [event.eventKind, event.salt, event.actor, event.payload];
}
