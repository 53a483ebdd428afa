/** Signs a message with Ed25519 (RFC 8032): 64 bytes. Node's is `signerOf` of `@bemi-db/proof/node-crypto`. */
export type Sign = (message: Uint8Array) => Uint8Array;

/**
 * Whether an Ed25519 signature of 64 bytes over the message is by the public key of 32 bytes. It may answer later,
 * as a browser's `crypto.subtle` does. Node's is `verifyEd25519` of `@bemi-db/proof/node-crypto`.
 */
export type Verify = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>;
