import { type KeyObject, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ed25519PrivateKey,
  generatePrivateKey,
  privateKeyFromPem,
  privateKeyToPem,
  rawPublicKey,
  signerOf,
} from '@bemi-db/proof/node-crypto';
import type { Sign } from '@bemi-db/proof/signature';

/** Where the key comes from. */
export interface SigningKeySource {
  /** The worker's state directory; the key is its file `signing-key.pem`. */
  readonly directory: string;
  /** BEMI_SIGNING_KEY: PKCS#8 PEM, or the 32 bytes of the seed in base64. It goes before the file. */
  readonly key?: string | undefined;
}

/** The key that signs checkpoints. It lives with the worker, never in the audit database. */
export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly sign: Sign;
}

/** The text or file that should hold a key holds none. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
}

const keyFileMode = 0o600;
const directoryMode = 0o700;
const seedBytes = 32;

export function signingKeyFile(directory: string): string {
  return join(directory, 'signing-key.pem');
}

/**
 * The key, or `undefined` where there is none.
 *
 * @throws SigningKeyError where there is something else in its place.
 */
export function loadSigningKey({ directory, key }: SigningKeySource): SigningKey | undefined {
  if (key !== undefined) return parseSigningKey(key, 'BEMI_SIGNING_KEY');
  const file = signingKeyFile(directory);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new SigningKeyError(`${file} can't be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  return parseSigningKey(text, file);
}

/**
 * Draws a key and writes it to its file, which only its owner may read. A file that is there is never written over: the
 * key in it, which another worker may have made just now, is the one.
 */
export function createSigningKey(directory: string): SigningKey {
  const file = signingKeyFile(directory);
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const pem = privateKeyToPem(generatePrivateKey());
  try {
    if (mkdirSync(directory, { recursive: true, mode: directoryMode })) {
      writeFileSync(join(directory, '.gitignore'), '*\n'); // a key is not to be committed by mistake
    }
    try {
      writeFileSync(temporary, pem, { mode: keyFileMode, flag: 'wx', flush: true });
      linkSync(temporary, file); // whole, or not at all, and never over another
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw new SigningKeyError(`${file} can't be made: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
  return parseSigningKey(readFileSync(file, 'utf8'), file);
}

function parseSigningKey(text: string, where: string): SigningKey {
  const trimmed = text.trim();
  try {
    if (trimmed.startsWith('-----BEGIN')) return signingKey(privateKeyFromPem(trimmed));
    const seed = Buffer.from(trimmed, 'base64');
    if (seed.length === seedBytes) return signingKey(ed25519PrivateKey(seed));
  } catch {
    // Neither the text nor what OpenSSL says of it may be shown: it is a secret.
  }
  throw new SigningKeyError(
    `${where} holds no Ed25519 key: PKCS#8 PEM, as "openssl genpkey -algorithm ed25519" writes it, or 32 bytes in base64`,
  );
}

function signingKey(key: KeyObject): SigningKey {
  return { publicKey: rawPublicKey(key), sign: signerOf(key) };
}
