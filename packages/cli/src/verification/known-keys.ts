import { createHash, createPublicKey } from 'node:crypto';
import { encodeBase64 } from '@bemi-db/proof/base64';
import { rawPublicKey, sha256Into } from '@bemi-db/proof/node-crypto';
import { ED25519, parseVerifierKey, type VerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import { loadSigningKey, signingKeyFile } from '@bemi-db/worker/signing/signing-key';
import { usageError } from '../cli-error.ts';
import { readFileIfAny } from '../configuration/bemi-folder.ts';

/** A key of the log that is known from outside of the audit database, and from where. */
export interface KnownKey {
  readonly from: string;
  readonly key: VerifierKey;
}

/**
 * The keys that a `--key` names: a verifier key, a file with one on each line, or a PEM file of the public key, or of
 * the private one, of which the public half is taken.
 *
 * @param origin - of the log; names the key of a PEM file.
 * @throws CliError where it names none.
 */
export function givenKeys(keyOrFile: string, origin: string): readonly KnownKey[] {
  const key = parseVerifierKey(sha256Into, keyOrFile.trim());
  if (key !== undefined) return [{ from: '--key', key: expectLogKey(key) }];
  if (/^bemi\/.*\+/.test(keyOrFile)) throw brokenKey('The verifier key after --key');
  const text = readFileIfAny(keyOrFile);
  if (text === undefined)
    throw usageError(
      `${keyOrFile} is neither a verifier key nor a file`,
      'Give what "bemi keys signing show" prints where the worker runs, or a file with it.',
    );
  if (text.includes('-----BEGIN')) return [{ from: keyOrFile, key: ofPem(text, keyOrFile, origin) }];
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw brokenKey(keyOrFile);
  return lines.map((line) => {
    const read = parseVerifierKey(sha256Into, line.trim());
    if (read === undefined) throw brokenKey(keyOrFile);
    return { from: keyOrFile, key: expectLogKey(read) };
  });
}

/** The worker's own key, where this machine has it. */
export function ownKey(
  directory: string,
  signingKey: string | undefined,
  origin: string,
): KnownKey | undefined {
  const key = loadSigningKey({ directory, ...(signingKey === undefined ? {} : { key: signingKey }) });
  if (key === undefined) return undefined;
  return {
    from: signingKey === undefined ? signingKeyFile(directory) : 'BEMI_SIGNING_KEY',
    key: verifierKey(sha256Into, origin, key.publicKey, ED25519),
  };
}

/** What two people compare over the telephone. */
export function fingerprint(publicKey: Uint8Array): string {
  return `SHA256:${encodeBase64(createHash('sha256').update(publicKey).digest()).replace(/=+$/, '')}`;
}

function ofPem(text: string, file: string, origin: string): VerifierKey {
  try {
    return verifierKey(sha256Into, origin, rawPublicKey(createPublicKey(text)), ED25519);
  } catch {
    // What OpenSSL says of it may not be shown: it may be a private key.
    throw brokenKey(file);
  }
}

function expectLogKey(key: VerifierKey): VerifierKey {
  if (key.type === ED25519) return key;
  throw usageError(`${key.name} is the key of a witness`, "Give the log's own key: bemi keys signing show");
}

function brokenKey(what: string): Error {
  return usageError(
    `${what} holds no key that can be read`,
    'A verifier key is name+hash+base64, as "bemi keys signing show" prints it. Copy it again, whole.',
  );
}
