import { decodeBase64, encodeBase64 } from './base64.ts';
import { HASH_BYTES } from './hash.ts';

// c2sp.org/tlog-proof: an inclusion proof with its checkpoint, as text.

const HEADER = 'c2sp.org/tlog-proof@v1';

export interface TlogProof {
  readonly index: number;
  /** From the leaf's sibling up to the root's child, 32 bytes each. */
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
  /** Proven by nothing. */
  readonly extra?: Uint8Array | undefined;
}

/** A text that isn't a proof of c2sp.org/tlog-proof. */
export class TlogProofError extends Error {
  override readonly name = 'TlogProofError';
}

export function formatTlogProof({ index, hashes, checkpoint, extra }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...hashes.map(encodeBase64),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/**
 * Reads a proof, and verifies nothing.
 *
 * @throws TlogProofError where it isn't one
 */
export function parseTlogProof(text: string): TlogProof {
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw new TlogProofError('A proof has an empty line before its checkpoint.');
  const lines = text.slice(0, blank).split('\n');
  if (lines.shift() !== HEADER) throw new TlogProofError(`The first line of a proof is ${HEADER}.`);

  let extra: Uint8Array | undefined;
  if (lines[0]?.startsWith('extra ')) {
    extra = decodeBase64(lines.shift()!.slice('extra '.length));
    if (extra === undefined) throw new TlogProofError("A proof's extra data is base64.");
  }

  const match = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '');
  if (match === null || !Number.isSafeInteger(Number(match[1])))
    throw new TlogProofError('A proof has a line "index N", N decimal without leading zeros and below 2^53.');

  const hashes = lines.map((line, i) => {
    const hash = decodeBase64(line);
    if (hash?.length !== HASH_BYTES)
      throw new TlogProofError(`Hash ${i + 1} of the proof is not ${HASH_BYTES} bytes in base64.`);
    return hash;
  });
  // 2^63 leaves are the most that a log of this format has.
  if (hashes.length > 63) throw new TlogProofError(`A proof has 63 hashes at most, got ${hashes.length}.`);
  return { index: Number(match[1]), hashes, checkpoint: text.slice(blank + 2), extra };
}
