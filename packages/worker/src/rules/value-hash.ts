import { createHmac, hkdfSync } from 'node:crypto';

/** What equal values become: HMAC-SHA256 by a key that only this log has. */
export interface ValueHash {
  /** Tells the key from others, and nothing else of it. */
  readonly keyId: string;
  of(bytes: Uint8Array): string;
}

const prefix = 'hmac-sha256:';
const keyIdLength = 8;

/**
 * Made from BEMI_ENCRYPTION_KEY by HKDF-SHA256, bound to the log: equal values are known as such within a log, and not
 * between logs.
 */
export function valueHash(encryptionKey: Buffer, logId: string): ValueHash {
  const derived = (purpose: string): Buffer =>
    Buffer.from(
      hkdfSync('sha256', encryptionKey, Buffer.from(logId, 'hex'), `bemi redaction v1 ${purpose}`, 32),
    );
  const key = derived('values');
  return {
    keyId: derived('key id').toString('hex').slice(0, keyIdLength),
    of: (bytes) => prefix + createHmac('sha256', key).update(bytes).digest('hex'),
  };
}
