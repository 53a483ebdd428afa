import { hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that should hold a secret does not. */
export class KeptSecretError extends Error {
  override readonly name = 'KeptSecretError';
  readonly fix = 'Put a copy of it there; what it protects can’t be read without it.';

  constructor(file: string) {
    super(`${file} is not whole`);
  }
}

export interface KeptSecretOptions {
  /** The bytes of `BEMI_ENCRYPTION_KEY`, where it is set: so that several processes share what is derived of it. */
  readonly encryptionKey: Uint8Array | undefined;
  /** What it is for: a key that is derived for one purpose says nothing about another's. */
  readonly purpose: string;
  /** Of the state, `BEMI_STATE_DIR`. */
  readonly folder: string;
  /** There, where there is no `BEMI_ENCRYPTION_KEY`. */
  readonly fileName: string;
}

/**
 * A secret that is never in the audit database: derived from `BEMI_ENCRYPTION_KEY` where there is one; else a random one
 * that is made once and kept in a file, readable by its owner alone.
 *
 * @returns 32 bytes in base64url.
 * @throws KeptSecretError
 */
export async function keptSecret(options: KeptSecretOptions): Promise<string> {
  const { encryptionKey, purpose, folder, fileName } = options;
  if (encryptionKey !== undefined)
    return Buffer.from(hkdfSync('sha256', encryptionKey, '', purpose, 32)).toString('base64url');
  const file = join(folder, fileName);
  const kept = await readSecret(file);
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
  return (await readSecret(file))!;
}

async function readSecret(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  if (text.trim().length < 43) throw new KeptSecretError(file);
  return text.trim();
}
