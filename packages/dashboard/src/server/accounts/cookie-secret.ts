import { hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const fileName = 'cookie-secret';

/**
 * The key that signs cookies and encrypts the secrets of second factors: from `BEMI_ENCRYPTION_KEY` where there is one, so
 * that several servers share it; else a random one that is made once and kept in the folder, readable by its owner alone.
 * Whoever loses it signs everybody out, and second factors have to be set up anew.
 *
 * @param encryptionKey - its bytes, so that both ways of writing it give the same.
 * @param folder - of the state, `BEMI_STATE_DIR`.
 */
export async function cookieSecret(encryptionKey: Uint8Array | undefined, folder: string): Promise<string> {
  if (encryptionKey !== undefined)
    return Buffer.from(hkdfSync('sha256', encryptionKey, '', 'bemi accounts v1', 32)).toString('base64url');
  const file = join(folder, fileName);
  const kept = await keptSecret(file);
  if (kept !== undefined) return kept;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(32).toString('base64url')}\n`);
    await handle.sync();
    // Appears whole, and only where no other process was first.
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
  return (await keptSecret(file))!;
}

async function keptSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  if (text.trim().length < 43)
    throw new Error(`${file} is not whole: delete it, and everybody signs in again`);
  return text.trim();
}
