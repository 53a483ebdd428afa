import { keptSecret } from '@bemi-db/trail/kept-secret';

/**
 * The key that signs cookies and encrypts the secrets of second factors. Whoever loses it signs everybody out, and second
 * factors have to be set up anew.
 *
 * @param encryptionKey - its bytes, so that both ways of writing it give the same.
 * @param folder - of the state, `BEMI_STATE_DIR`.
 */
export function cookieSecret(encryptionKey: Uint8Array | undefined, folder: string): Promise<string> {
  return keptSecret({ encryptionKey, folder, purpose: 'bemi accounts v1', fileName: 'cookie-secret' });
}
