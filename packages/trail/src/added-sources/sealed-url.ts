/** The connection URL of an added source, as the audit database holds it: encrypted with a key that is not there. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { keptSecret } from '../kept-secret.ts';

/** What is stored is not what was sealed for this source with this key. */
export class SealedUrlError extends Error {
  override readonly name = 'SealedUrlError';
  readonly code = 'source-sealed';
  readonly fix =
    'Use the key that it was added with (BEMI_ENCRYPTION_KEY, else source-secret in the state directory); or enter its connection string anew.';

  constructor(name: string) {
    super(
      `The connection of ${name} can’t be opened: it was sealed with another key, or altered in the audit database`,
    );
  }
}

const algorithm = 'aes-256-gcm';
const version = 1;
const nonceLength = 12;
const tagLength = 16;

/**
 * The key that URLs are sealed with.
 *
 * @param encryptionKey - the bytes of `BEMI_ENCRYPTION_KEY`, if it is set.
 * @param folder - of the state, where a random one is kept otherwise: `source-secret`.
 */
export async function sourceKey(encryptionKey: Uint8Array | undefined, folder: string): Promise<Buffer> {
  const options = { encryptionKey, folder, purpose: 'bemi sources v1', fileName: 'source-secret' };
  return Buffer.from(await keptSecret(options), 'base64url').subarray(0, 32);
}

/** AES-256-GCM: version, 12 random bytes, what is encrypted, tag. Bound to the source's name: it opens for no other. */
export function sealUrl(url: string, key: Uint8Array, name: string): Buffer {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv(algorithm, key, nonce);
  cipher.setAAD(boundTo(name));
  const encrypted = Buffer.concat([cipher.update(url, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(version), nonce, encrypted, cipher.getAuthTag()]);
}

/** @throws SealedUrlError, which says nothing of either. */
export function openUrl(sealed: Uint8Array, key: Uint8Array, name: string): string {
  if (sealed[0] !== version || sealed.length < 1 + nonceLength + tagLength) throw new SealedUrlError(name);
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceLength), {
    authTagLength: tagLength,
  });
  decipher.setAAD(boundTo(name));
  decipher.setAuthTag(sealed.subarray(-tagLength));
  try {
    const encrypted = sealed.subarray(1 + nonceLength, -tagLength);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
  } catch {
    throw new SealedUrlError(name);
  }
}

function boundTo(name: string): Buffer {
  return Buffer.from(`bemi source url v1\n${name}\n`);
}
