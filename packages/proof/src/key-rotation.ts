import { encodeBase64 } from './base64.ts';
import { isLogId } from './origin.ts';
import type { Sign, Verify } from './signature.ts';

/** That another key signs the log from here on (docs/spec/log.md, Rotation). Keys are 32 bytes. */
export interface KeyRotation {
  readonly logId: string;
  readonly previous: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** What the previous key signs: four lines. */
export function rotationStatement({ logId, previous, publicKey }: KeyRotation): Uint8Array {
  if (!isLogId(logId)) throw new TypeError('A log id is 32 lower-case hexadecimal digits.');
  if (previous.length !== 32 || publicKey.length !== 32)
    throw new TypeError(
      `An Ed25519 public key has 32 bytes, got ${previous.length} and ${publicKey.length}.`,
    );
  return new TextEncoder().encode(
    `bemi key rotation v1\n${logId}\n${encodeBase64(previous)}\n${encodeBase64(publicKey)}\n`,
  );
}

/** The previous key's signature, 64 bytes. */
export function signRotation(rotation: KeyRotation, signPrevious: Sign): Uint8Array {
  return signPrevious(rotationStatement(rotation));
}

/** Whether the previous key has signed the rotation. */
export async function verifyRotation(
  rotation: KeyRotation,
  signature: Uint8Array,
  verify: Verify,
): Promise<boolean> {
  return verify(rotation.previous, rotationStatement(rotation), signature);
}
