import { decodeBase64, encodeBase64 } from './base64.ts';
import { cosignedMessage, parseCosignature } from './cosignature.ts';
import { HASH_BYTES } from './hash.ts';
import type { Sign, Verify } from './signature.ts';
import { formatSignedNote, NoteError, parseSignedNote, type SignedNote } from './signed-note.ts';
import { COSIGNATURE_V1, ED25519, type VerifierKey } from './verifier-key.ts';

// c2sp.org/tlog-checkpoint.

/** What a log says of its tree. */
export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export interface Checkpoint extends TreeHead {
  /** Lines after the root: Bemi's checkpoints have none, and sign them where another's has. */
  readonly extensions: readonly string[];
  readonly note: SignedNote;
}

/** The text of a checkpoint: what is signed. */
export function formatTreeHead({ origin, size, root }: TreeHead): string {
  if (origin === '' || origin.includes('\n')) throw new TypeError('An origin is one line that is not empty.');
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError(`A tree's size is a whole number from 0 to 2^53 - 1, got ${size}.`);
  if (root.length !== HASH_BYTES)
    throw new RangeError(`A root hash has ${HASH_BYTES} bytes, got ${root.length}.`);
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/**
 * Signs a tree head as a checkpoint. Sign only what is durable, and never one that contradicts another of the same
 * origin.
 *
 * @param key - the public half of what `sign` signs with; its name is the origin
 */
export function signCheckpoint(head: TreeHead, key: VerifierKey, sign: Sign): string {
  const text = formatTreeHead(head);
  const signature = sign(utf8.encode(text));
  if (key.type !== ED25519 || signature.length !== SIGNATURE_BYTES)
    throw new TypeError('A log signs its checkpoints with an Ed25519 key of signature type 1.');
  return formatSignedNote(text, [{ name: key.name, keyId: key.id, signature }]);
}

const utf8 = new TextEncoder();
const SIGNATURE_BYTES = 64;

/**
 * Reads a checkpoint, and verifies nothing.
 *
 * @throws NoteError where it isn't one, or its size is 2^53 or more
 */
export function parseCheckpoint(text: string): Checkpoint {
  const note = parseSignedNote(text);
  const [origin, sizeText, rootText, ...extensions] = note.text.slice(0, -1).split('\n');
  if (!origin || sizeText === undefined || rootText === undefined || extensions.includes(''))
    throw new NoteError(
      'A checkpoint has an origin, a size and a root hash, each on its line, and no empty line.',
    );
  if (!/^(0|[1-9]\d*)$/.test(sizeText) || !Number.isSafeInteger(Number(sizeText)))
    throw new NoteError(
      'The second line of a checkpoint is a size: decimal, without leading zeros, below 2^53.',
    );
  const root = decodeBase64(rootText);
  if (root?.length !== HASH_BYTES)
    throw new NoteError(`The third line of a checkpoint is a root hash: ${HASH_BYTES} bytes in base64.`);
  return { origin, size: Number(sizeText), root, extensions, note };
}

/** A signature that a known key verifies, in the order of the note. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Of a witness' cosignature: when it saw the checkpoint, in seconds since 1970-01-01 00:00:00 UTC. */
  readonly timestamp?: bigint;
}

export type SignatureCheck =
  | { readonly valid: true; readonly signatures: readonly VerifiedSignature[] }
  /** `unsigned`: by none of the keys; `invalid`: by its name and id one of `key`'s, which doesn't verify it. */
  | { readonly valid: false; readonly reason: 'unsigned' }
  | { readonly valid: false; readonly reason: 'invalid'; readonly key: VerifierKey };

/**
 * Verifies a note's signatures by the given keys (c2sp.org/signed-note, Signatures): those of unknown keys are
 * ignored, one of a known key that doesn't verify condemns the note, and one that verifies is needed.
 */
export async function verifySignatures(
  note: SignedNote,
  keys: readonly VerifierKey[],
  verify: Verify,
): Promise<SignatureCheck> {
  const verified: VerifiedSignature[] = [];
  for (const signature of note.signatures) {
    // An id of 4 bytes may belong to two keys of one name: one that verifies is enough.
    const known = keys.filter((key) => key.name === signature.name && key.id === signature.keyId);
    const [first] = known;
    if (first === undefined) continue;
    let found: VerifiedSignature | undefined;
    for (const key of known) found ??= await verifyOne(note.text, signature.signature, key, verify);
    if (found === undefined) return { valid: false, reason: 'invalid', key: first };
    if (!verified.some(({ key }) => key === found.key)) verified.push(found);
  }
  return verified.length > 0 ? { valid: true, signatures: verified } : { valid: false, reason: 'unsigned' };
}

async function verifyOne(
  text: string,
  signature: Uint8Array,
  key: VerifierKey,
  verify: Verify,
): Promise<VerifiedSignature | undefined> {
  if (key.type === COSIGNATURE_V1) {
    const cosignature = parseCosignature(signature);
    if (cosignature === undefined) return undefined;
    const message = cosignedMessage(text, cosignature.timestamp);
    const valid = await verify(key.publicKey, message, cosignature.signature);
    return valid ? { key, timestamp: cosignature.timestamp } : undefined;
  }
  if (signature.length !== SIGNATURE_BYTES) return undefined;
  return (await verify(key.publicKey, utf8.encode(text), signature)) ? { key } : undefined;
}
