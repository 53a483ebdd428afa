import { readU64, writeU64 } from './integer.ts';
import type { Sign } from './signature.ts';
import { type NoteSignature, parseSignedNote } from './signed-note.ts';
import { COSIGNATURE_V1, type VerifierKey } from './verifier-key.ts';

// c2sp.org/tlog-cosignature: timestamped Ed25519 signatures of witnesses (signature type 0x04).

const COSIGNATURE_BYTES = 8 + 64;
const utf8 = new TextEncoder();

/** The time (seconds since 1970-01-01 00:00:00 UTC) and the Ed25519 signature, or undefined where it is none. */
export function parseCosignature(
  bytes: Uint8Array,
): { readonly timestamp: bigint; readonly signature: Uint8Array } | undefined {
  if (bytes.length !== COSIGNATURE_BYTES) return undefined;
  const timestamp = readU64(bytes, 0);
  return timestamp < 1n << 63n ? { timestamp, signature: bytes.slice(8) } : undefined;
}

/** What a witness signs: two lines before the checkpoint's text. */
export function cosignedMessage(checkpointText: string, timestamp: bigint): Uint8Array {
  return utf8.encode(`cosignature/v1\ntime ${timestamp}\n${checkpointText}`);
}

/**
 * Cosigns a checkpoint as a witness does. A witness verifies it, and its consistency with the one before, first.
 *
 * @param timestamp - seconds since 1970-01-01 00:00:00 UTC
 */
export function cosign(checkpoint: string, timestamp: bigint, key: VerifierKey, sign: Sign): NoteSignature {
  if (key.type !== COSIGNATURE_V1) throw new TypeError('A witness cosigns with a key of signature type 4.');
  const signature = new Uint8Array(COSIGNATURE_BYTES);
  writeU64(signature, 0, timestamp);
  signature.set(sign(cosignedMessage(parseSignedNote(checkpoint).text, timestamp)), 8);
  return { name: key.name, keyId: key.id, signature };
}
