import { decodeBase64, encodeBase64 } from './base64.ts';
import { parseCheckpoint } from './checkpoint.ts';
import {
  changeFields,
  commitActorFields,
  contextFields,
  eventFields,
  type Field,
  type Quarantine,
} from './commitment.ts';
import { HASH_BYTES, type HashInto } from './hash.ts';
import { inclusionProof } from './inclusion-proof.ts';
import { type DecodedRecord, decodeRecord } from './record.ts';
import { cachedTiles, type TileReader } from './tile-reader.ts';
import { formatTlogProof, parseTlogProof, type TlogProof } from './tlog-proof.ts';

// The proof of an entry as a file: docs/spec/proof.md.

export const ENTRY_PROOF_FORMAT = 'bemi-proof';
export const ENTRY_PROOF_VERSION = 1;

/** The texts that an entry commits to. Members that its kind hasn't are absent. */
export interface Disclosed {
  readonly salt: Uint8Array;
  readonly primaryKey?: string | null;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly context?: string | null;
  readonly actor?: string | null;
  readonly payload?: string | null;
  readonly quarantine?: Quarantine | undefined;
}

/** The entry that is proven, and those that say what it means. */
export const PARTS = ['entry', 'commit', 'context', 'relation', 'created'] as const;
export type PartName = (typeof PARTS)[number];

export interface ProofPart {
  readonly record: Uint8Array;
  readonly decoded: DecodedRecord;
  /** Null: erased, or a commit without an actor. */
  readonly disclosed: Disclosed | null;
  readonly proof: TlogProof;
}

export type EntryProof = { readonly entry: ProofPart } & { readonly [name in PartName]?: ProofPart };

/** A text that isn't a proof of docs/spec/proof.md. */
export class EntryProofError extends Error {
  override readonly name = 'EntryProofError';
}

/** The fields that the record commits to, given their texts; undefined for one that commits to nothing. */
export function disclosedFields(record: DecodedRecord, disclosed: Disclosed): readonly Field[] | undefined {
  const { salt, primaryKey = null, before = null, after = null, quarantine } = disclosed;
  const { context = null, actor = null, payload = null } = disclosed;
  switch (record.kind) {
    case 'change':
      return changeFields({ operation: record.operation, salt, primaryKey, before, after, quarantine });
    case 'context':
      return contextFields({ authenticity: record.authenticity, salt, context, quarantine });
    case 'commit':
      return record.hasActor ? commitActorFields(salt, actor) : undefined;
    case 'event':
      return eventFields({ eventKind: record.eventKind, salt, actor, payload });
    case 'opaque':
      return undefined;
  }
}

/** A part to be proven: the record as it is in the log, and its texts. */
export type PartToProve = Pick<ProofPart, 'record' | 'disclosed'>;

/**
 * Makes the proof of an entry as text: JSON, which `bemi-verify` reads. Which parts an entry needs stands in
 * docs/spec/proof.md.
 *
 * @param checkpoint - a checkpoint whose size is beyond all the parts
 * @param reader - tiles of the tree of that size
 */
export async function makeEntryProof(
  hash: HashInto,
  parts: { readonly entry: PartToProve } & { readonly [name in PartName]?: PartToProve | undefined },
  checkpoint: string,
  reader: TileReader,
): Promise<string> {
  const { size } = parseCheckpoint(checkpoint);
  const tiles = cachedTiles(reader);
  const document: Record<string, unknown> = { format: ENTRY_PROOF_FORMAT, version: ENTRY_PROOF_VERSION };
  for (const name of PARTS) {
    const part = parts[name];
    if (part === undefined) continue;
    const { sequence: index } = decodeRecord(part.record);
    const hashes = await inclusionProof(hash, index, size, tiles);
    document[name] = {
      record: encodeBase64(part.record),
      disclosed: part.disclosed && disclosedToJson(part.disclosed),
      proof: formatTlogProof({ index, hashes, checkpoint }),
    };
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}

function disclosedToJson({ salt, quarantine, ...texts }: Disclosed): unknown {
  return {
    salt: encodeBase64(salt),
    ...texts,
    ...(quarantine && {
      quarantine: { reason: quarantine.reason, sha256: encodeBase64(quarantine.bytesHash) },
    }),
  };
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the proof of an entry, and verifies nothing.
 *
 * @throws EntryProofError where it isn't one
 */
export function parseEntryProof(text: string): EntryProof {
  const document = parseJson(text);
  if (document['format'] !== ENTRY_PROOF_FORMAT)
    throw new EntryProofError(`The file is no proof of Bemi's: its "format" is not "${ENTRY_PROOF_FORMAT}".`);
  if (document['version'] !== ENTRY_PROOF_VERSION)
    throw new EntryProofError(
      `The proof is of version ${JSON.stringify(document['version'])}; this program reads version ${ENTRY_PROOF_VERSION}. A newer bemi-verify may read it.`,
    );
  const parts: { -readonly [name in PartName]?: ProofPart } = {};
  for (const name of PARTS) if (document[name] !== undefined) parts[name] = parsePart(name, document[name]);
  const { entry } = parts;
  if (entry === undefined) throw new EntryProofError('The proof has no "entry".');
  return { ...parts, entry };
}

function parseJson(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EntryProofError('The file is not JSON.', { cause });
  }
  return expectObject('The proof', value);
}

function parsePart(name: PartName, value: unknown): ProofPart {
  const part = expectObject(`"${name}"`, value);
  const record = expectBase64(`"record" of "${name}"`, part['record']);
  if (typeof part['proof'] !== 'string') throw new EntryProofError(`"proof" of "${name}" is not a text.`);
  try {
    const decoded = decodeRecord(record);
    const disclosed = part['disclosed'] == null ? null : parseDisclosed(name, part['disclosed']);
    return { record, decoded, disclosed, proof: parseTlogProof(part['proof']) };
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof EntryProofError) throw cause;
    throw new EntryProofError(`"${name}" can't be read: ${cause.message}`, { cause });
  }
}

const TEXTS = ['primaryKey', 'before', 'after', 'context', 'actor', 'payload'] as const;

function parseDisclosed(name: PartName, value: unknown): Disclosed {
  const json = expectObject(`"disclosed" of "${name}"`, value);
  const texts: { -readonly [text in (typeof TEXTS)[number]]?: string | null } = {};
  for (const text of TEXTS) {
    const member = json[text];
    if (member === undefined) continue;
    if (member !== null && typeof member !== 'string')
      throw new EntryProofError(`"${text}" of "${name}" is neither a text nor null.`);
    // Lone surrogates have no UTF-8: two texts would have the same bytes.
    if (member !== null && /\p{Surrogate}/u.test(member))
      throw new EntryProofError(`"${text}" of "${name}" is not well-formed Unicode.`);
    texts[text] = member;
  }
  const salt = expectBase64(`"salt" of "${name}"`, json['salt']);
  if (json['quarantine'] === undefined) return { salt, ...texts };
  const quarantine = expectObject(`"quarantine" of "${name}"`, json['quarantine']);
  const bytesHash = expectBase64(`"sha256" of "${name}"`, quarantine['sha256']);
  const reason = quarantine['reason'];
  if (typeof reason !== 'string' || bytesHash.length !== HASH_BYTES)
    throw new EntryProofError(`"quarantine" of "${name}" has no reason or no SHA-256.`);
  return { salt, ...texts, quarantine: { reason, bytesHash } };
}

function expectObject(what: string, value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EntryProofError(`${what} is not an object.`);
  return value as Json;
}

function expectBase64(what: string, value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined) throw new EntryProofError(`${what} is not base64.`);
  return bytes;
}
