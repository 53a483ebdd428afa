import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { HashInto } from './hash.ts';
import type { Verify } from './signature.ts';

// For pages: whoever imports this has @noble/curves and @noble/hashes, which nothing else here needs.

/** SHA-256 in JavaScript: the browser's own answers later, and only where a page came by https or from a file. */
export const sha256Into: HashInto = (source, start, end, target, at) => {
  target.set(sha256(source.subarray(start, end)), at);
};

/** Ed25519 as RFC 8032 has it: encodings that are not canonical are no signatures. */
export const verifyEd25519: Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // a key that is no point of the curve
  }
};
