import { decodeBase64, encodeBase64 } from './base64.ts';
import { HASH_BYTES, type HashInto } from './hash.ts';
import { readU32 } from './integer.ts';
import { isKeyName } from './key-name.ts';

/** Signature types of c2sp.org/signed-note: Ed25519, and timestamped Ed25519 cosignatures of witnesses. */
export const ED25519 = 0x01;
export const COSIGNATURE_V1 = 0x04;
export type SignatureType = typeof ED25519 | typeof COSIGNATURE_V1;

/** A key that verifies signatures of notes. Name and id together say which key made a signature. */
export interface VerifierKey {
  readonly name: string;
  /** The first 4 bytes of a hash over name, type and key. It identifies, it doesn't authenticate. */
  readonly id: number;
  readonly type: SignatureType;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

const PUBLIC_KEY_BYTES = 32;
const utf8 = new TextEncoder();

/** SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4] (c2sp.org/signed-note, Signatures). */
export function keyId(hash: HashInto, name: string, type: SignatureType, publicKey: Uint8Array): number {
  const nameBytes = utf8.encode(name);
  const message = new Uint8Array(nameBytes.length + 2 + publicKey.length);
  message.set(nameBytes);
  message[nameBytes.length] = 0x0a;
  message[nameBytes.length + 1] = type;
  message.set(publicKey, nameBytes.length + 2);
  const digest = new Uint8Array(HASH_BYTES);
  hash(message, 0, message.length, digest, 0);
  return readU32(digest, 0);
}

/**
 * The verifier key of a name and a public key.
 *
 * @param type - {@link ED25519} for a log, {@link COSIGNATURE_V1} for a witness
 * @throws TypeError where the name can't be a key's, or the public key hasn't 32 bytes
 */
export function verifierKey(
  hash: HashInto,
  name: string,
  publicKey: Uint8Array,
  type: SignatureType = ED25519,
): VerifierKey {
  if (!isKeyName(name))
    throw new TypeError(
      'The name of a key is not empty and has no spaces, plus signs or control characters.',
    );
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw new TypeError(`An Ed25519 public key has ${PUBLIC_KEY_BYTES} bytes, got ${publicKey.length}.`);
  return { name, id: keyId(hash, name, type, publicKey), type, publicKey };
}

/** A verifier key as text: `name+hash+base64(type ‖ public key)`. */
export function formatVerifierKey(key: VerifierKey): string {
  const typed = new Uint8Array(1 + key.publicKey.length);
  typed[0] = key.type;
  typed.set(key.publicKey, 1);
  return `${key.name}+${formatKeyId(key.id)}+${encodeBase64(typed)}`;
}

/** The verifier key that a text is, or undefined where it is none, its hash is wrong or its type unknown. */
export function parseVerifierKey(hash: HashInto, text: string): VerifierKey | undefined {
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  if (match === null || !isKeyName(match[1]!)) return undefined;
  const typed = decodeBase64(match[3]!);
  const type = typed?.[0];
  if (typed?.length !== 1 + PUBLIC_KEY_BYTES || (type !== ED25519 && type !== COSIGNATURE_V1))
    return undefined;
  const key = verifierKey(hash, match[1]!, typed.slice(1), type);
  return formatKeyId(key.id) === match[2] ? key : undefined;
}

/** A key id as 8 hexadecimal digits. */
export function formatKeyId(id: number): string {
  return id.toString(16).padStart(8, '0');
}
