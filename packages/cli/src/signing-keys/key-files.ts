import type { KeyObject } from 'node:crypto';
import { linkSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sameBytes } from '@bemi-db/proof/hash';
import { privateKeyToPem, sha256Into } from '@bemi-db/proof/node-crypto';
import { ED25519, formatKeyId, keyId } from '@bemi-db/proof/verifier-key';
import { loadSigningKey, type SigningKey, signingKeyFile } from '@bemi-db/worker/signing/signing-key';
import { readFileIfAny } from '../configuration/bemi-folder.ts';

const oldKeyName = /^signing-key-[0-9a-f]{8}\.pem\.old$/;

/** Writes a new key beside the one that signs, to be put in its place by {@link putInPlace}. */
export function stageKey(directory: string, key: KeyObject): string {
  const staged = `${signingKeyFile(directory)}.new`;
  rmSync(staged, { force: true }); // of a rotation that failed: nothing was ever signed with it
  writeFileSync(staged, privateKeyToPem(key), { mode: 0o600, flag: 'wx', flush: true });
  return staged;
}

/**
 * Puts a staged key in the place of the one that signs, which stays beside it under another name: at every moment one of
 * the two is the file that the worker reads.
 *
 * @returns where the old one is, if there was one.
 */
export function putInPlace(
  directory: string,
  staged: string,
  old: SigningKey | undefined,
): string | undefined {
  const file = signingKeyFile(directory);
  let kept: string | undefined;
  if (old !== undefined && readFileIfAny(file) !== undefined) {
    kept = join(directory, `signing-key-${shortId(old.publicKey)}.pem.old`);
    rmSync(kept, { force: true });
    linkSync(file, kept);
  }
  renameSync(staged, file);
  return kept;
}

/** A key that was put aside here, by its public half. */
export function keyPutAside(directory: string, publicKey: Uint8Array): SigningKey | undefined {
  for (const name of readdirSync(directory)) {
    if (!oldKeyName.test(name)) continue;
    const text = readFileIfAny(join(directory, name));
    const key = text === undefined ? undefined : loadSigningKey({ directory, key: text });
    if (key && sameBytes(key.publicKey, publicKey)) return key;
  }
  return undefined;
}

/** The first 4 bytes of a hash of the key, for the name of a file. */
function shortId(publicKey: Uint8Array): string {
  return formatKeyId(keyId(sha256Into, 'bemi', ED25519, publicKey));
}

/** The 32 bytes of the seed in base64, as BEMI_SIGNING_KEY takes it. */
export function seedText(key: KeyObject): string {
  return key.export({ format: 'der', type: 'pkcs8' }).subarray(-32).toString('base64');
}
