import { sourceKey } from '@bemi-db/trail/added-sources/sealed-url';
import { parseEncryptionKey } from '@bemi-db/worker/authenticity/sealed-key';
import { bemiFolder, makeBemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';

/** The key that connections of added sources are sealed with. Made where there is none yet: only when somebody needs it. */
export async function addedSourceKey({ encryptionKey, stateDirectory }: Configuration): Promise<Buffer> {
  return await sourceKey(
    encryptionKey === undefined ? undefined : parseEncryptionKey(encryptionKey),
    stateDirectory ?? makeBemiFolder(bemiFolder()).path,
  );
}
