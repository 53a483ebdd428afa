import { encodeBase64 } from '@bemi-db/proof/base64';
import { parseCheckpoint, verifySignatures } from '@bemi-db/proof/checkpoint';
import { verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { formatSignatureLine, NoteError } from '@bemi-db/proof/signed-note';
import { formatKeyId, formatVerifierKey, type VerifierKey } from '@bemi-db/proof/verifier-key';
import { exchange, type HttpAnswer, isLoopback } from './http-exchange.ts';
import { conflictError, publicationError } from './publication-problem.ts';

/** What a witness says to a checkpoint that it was sent. */
export type WitnessAnswer =
  /** Signature lines for the checkpoint, verified. */
  | { readonly kind: 'cosigned'; readonly lines: string }
  /** It knows the log at this size: the proof must begin there. */
  | { readonly kind: 'knows'; readonly size: number };

/** A witness by c2sp.org/tlog-witness. */
export interface Witness {
  readonly kind: 'witness';
  /** For people. */
  readonly name: string;
  readonly isOffHost: boolean;
  readonly minIntervalMs: number | undefined;
  /**
   * Sends a checkpoint, with the proof that the log of `oldSize` is its beginning.
   *
   * @param checkpoint - the signed note
   * @throws ProblemError
   */
  addCheckpoint(
    oldSize: number,
    proof: readonly Uint8Array[],
    checkpoint: string,
    signal?: AbortSignal,
  ): Promise<WitnessAnswer>;
}

export interface WitnessOptions {
  /** The submission prefix. */
  readonly url: URL;
  readonly key: VerifierKey;
  readonly minIntervalMs: number | undefined;
}

export function witness({ url, key, minIntervalMs }: WitnessOptions): Witness {
  const base = url.href.replace(/\/+$/, '');
  const name = `witness ${key.name}`;
  return {
    kind: 'witness',
    name,
    isOffHost: !isLoopback(url.hostname),
    minIntervalMs,
    async addCheckpoint(oldSize, proof, checkpoint, signal) {
      const proofLines = proof.map((node) => `${encodeBase64(node)}\n`).join('');
      const answer = await exchange(
        name,
        {
          url: `${base}/add-checkpoint`,
          method: 'POST',
          headers: { 'content-type': 'text/plain; charset=utf-8' },
          body: `old ${oldSize}\n${proofLines}\n${checkpoint}`,
        },
        signal,
      );
      if (answer.status === 200)
        return { kind: 'cosigned', lines: await verifiedLines(name, key, checkpoint, answer) };
      if (answer.status === 409) return knownSize(name, oldSize, checkpoint, answer);
      throw refused(name, checkpoint, answer);
    },
  };
}

/** The signature lines of an answer that are this witness' and verify; those of unknown keys are ignored. */
async function verifiedLines(
  name: string,
  key: VerifierKey,
  checkpoint: string,
  { body }: HttpAnswer,
): Promise<string> {
  try {
    const { note } = parseCheckpoint(checkpoint + Buffer.from(body).toString('utf8'));
    const own = note.signatures.filter(
      (signature) => signature.name === key.name && signature.keyId === key.id,
    );
    const check = await verifySignatures({ text: note.text, signatures: own }, [key], verifyEd25519);
    if (check.valid) return own.map(formatSignatureLine).join('');
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
  }
  throw publicationError(
    'publication-refused',
    `${name} answered without a cosignature that its key ${formatKeyId(key.id)} verifies.`,
    `Compare ${formatVerifierKey(key)} in BEMI_CHECKPOINT_URL with the key that the witness' operator publishes.`,
  );
}

function knownSize(name: string, oldSize: number, checkpoint: string, answer: HttpAnswer): WitnessAnswer {
  const text = Buffer.from(answer.body).toString('utf8');
  const type = answer.headers.get('content-type')?.split(';', 1)[0]?.trim();
  const size = parseCheckpoint(checkpoint).size;
  // The same size with another root is a conflict too, which says nothing of a size.
  if (type === 'text/x.tlog.size' && /^(0|[1-9]\d{0,15})\n?$/.test(text) && Number(text) !== oldSize)
    return { kind: 'knows', size: Number(text) };
  if (oldSize === size) throw conflictError(name, `has seen another log with ${size} entries`);
  throw publicationError(
    'publication-refused',
    `${name} answers 409 without the size that it knows.`,
    'Report it to the operator of the witness: c2sp.org/tlog-witness asks for it.',
  );
}

function refused(name: string, checkpoint: string, { status }: HttpAnswer): Error {
  const { origin, size } = parseCheckpoint(checkpoint);
  if (status === 422)
    return conflictError(name, `has seen a log that is no beginning of this one of ${size} entries`);
  const message = `${name} answers ${status}.`;
  if (status === 404)
    return publicationError(
      'publication-refused',
      `${name} does not know the log ${origin} (404).`,
      'Give its operator the origin and the verifier key of the log, and check the URL.',
    );
  if (status === 403)
    return publicationError(
      'publication-refused',
      `${name} does not know the key that signs ${origin} (403).`,
      'Give its operator the verifier key of the log: after a rotation it is another one.',
    );
  if (status >= 500 || status === 429)
    return publicationError(
      'publication-unreachable',
      message,
      'It is tried again; ask its operator if it stays.',
    );
  return publicationError(
    'publication-refused',
    message,
    'Check the URL: it is the submission prefix of a C2SP witness.',
  );
}
