/** An application's key as the audit database holds it: encrypted with a key that is not there. */
import { createCipheriv, createDecipheriv, randomBytes, randomInt } from 'node:crypto';

/** BEMI_ENCRYPTION_KEY is no key. */
export class EncryptionKeyError extends Error {
  override readonly name = 'EncryptionKeyError';
  readonly fix = 'Make one by: openssl rand -base64 32';

  constructor() {
    super('BEMI_ENCRYPTION_KEY is not 32 bytes in base64 or hexadecimal');
  }
}

const algorithm = 'aes-256-gcm';
const version = 1;
const nonceLength = 12;
const tagLength = 16;

/**
 * The 32 bytes of BEMI_ENCRYPTION_KEY.
 *
 * @throws EncryptionKeyError, which doesn't say the text.
 */
export function parseEncryptionKey(text: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  // base64url too: Node reads both.
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, 'base64');
  throw new EncryptionKeyError();
}

/** A new key for an application, `bemi_sk_` and 32 characters. */
export function newApiKey(): string {
  return `bemi_sk_${Array.from({ length: 32 }, () => alphabet[randomInt(alphabet.length)]).join('')}`;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The part of a key that is no secret. */
export function apiKeyId(apiKey: string): string {
  return apiKey.slice('bemi_sk_'.length, 'bemi_sk_'.length + 8);
}

/** AES-256-GCM: version, 12 random bytes, what is encrypted, tag. What it is bound to can't be changed for another log or id. */
export function sealApiKey(apiKey: string, encryptionKey: Buffer, logId: string): Buffer {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv(algorithm, encryptionKey, nonce);
  cipher.setAAD(boundTo(logId, apiKeyId(apiKey)));
  const encrypted = Buffer.concat([cipher.update(apiKey, 'latin1'), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, encrypted, cipher.getAuthTag()]);
}

/** The key, or `undefined` where it was encrypted with another key, for another log or id, or not by us at all. */
export function openApiKey(
  sealed: Buffer,
  encryptionKey: Buffer,
  logId: string,
  id: string,
): string | undefined {
  if (sealed[0] !== version || sealed.length < 1 + nonceLength + tagLength) return undefined;
  const nonce = sealed.subarray(1, 1 + nonceLength);
  const decipher = createDecipheriv(algorithm, encryptionKey, nonce, { authTagLength: tagLength });
  decipher.setAAD(boundTo(logId, id));
  decipher.setAuthTag(sealed.subarray(-tagLength));
  try {
    const encrypted = sealed.subarray(1 + nonceLength, -tagLength);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('latin1');
  } catch {
    return undefined;
  }
}

function boundTo(logId: string, id: string): Buffer {
  return Buffer.from(`bemi api key v1\n${logId}\n${id}\n`);
}
