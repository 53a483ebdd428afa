import { createPublicKey } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { grow, leavesOf } from '../test/tiled-tree.ts';
import { parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { inclusionProof } from './inclusion-proof.ts';
import { ed25519PrivateKey, rawPublicKey, sha256Into, signerOf } from './node-crypto.ts';
import { formatTlogProof, parseTlogProof, TlogProofError } from './tlog-proof.ts';
import { verifierKey } from './verifier-key.ts';

const origin = 'bemi/5f0c3a4e9b7d4c0f8a51d2c6e3b9a870/1';
const privateKey = ed25519PrivateKey(new Uint8Array(32).fill(5));
const key = verifierKey(sha256Into, origin, rawPublicKey(privateKey));

async function proofOf(index: number, size: number) {
  const leaves = leavesOf(size);
  const { tree, reader } = grow(leaves);
  const checkpoint = signCheckpoint({ origin, size, root: tree.root() }, key, signerOf(privateKey));
  const hashes = await inclusionProof(sha256Into, index, size, reader);
  return { record: leaves[index]!, proof: formatTlogProof({ index, hashes, checkpoint }) };
}

describe('tlog-proof', () => {
  it('is read as it was written', async () => {
    const { proof } = await proofOf(3, 11);
    expect(proof.split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 3']);
    expect(formatTlogProof(parseTlogProof(proof))).toBe(proof);
    const extra = formatTlogProof({ ...parseTlogProof(proof), extra: Uint8Array.of(1, 2) });
    expect(extra).toContain('\nextra AQI=\nindex 3\n');
    expect(parseTlogProof(extra).extra).toEqual(Uint8Array.of(1, 2));
    expect(parseTlogProof((await proofOf(0, 1)).proof).hashes).toEqual([]);
  });

  // The cases of github.com/transparency-dev/merkle, proof/tlog_proof_test.go (Apache-2.0), and more.
  it('is refused where it breaks the format', () => {
    for (const text of [
      'wrong-header\nindex 0\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nextra !!notbase64!!\nindex 0\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\n\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex notanumber\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex -5\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\ncheckpoint\n',
      'c2sp.org/tlog-proof@v1\nindex 0\n!!notbase64!!\n\ncheckpoint\n',
      `c2sp.org/tlog-proof@v1\nindex 0\n${Buffer.alloc(64).toString('base64')}\n\ncheckpoint\n`,
      `c2sp.org/tlog-proof@v1\nindex 0\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\ncheckpoint\n`,
      'c2sp.org/tlog-proof@v1\nindex 0\ncheckpoint\n',
    ])
      expect(() => parseTlogProof(text), text).toThrow(TlogProofError);
  });
});

// Sigstore's verifier reads the same checkpoints and inclusion proofs: Rekor is a log of this kind.
describe('against @sigstore/verify', () => {
  const require = createRequire(import.meta.url);
  const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js');
  const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js');
  const id = Buffer.alloc(32);
  id.writeUInt32BE(key.id);
  const logs = [{ logID: id, publicKey: createPublicKey(privateKey), baseURL: origin }];

  const entryOf = ({ record, proof }: { record: Uint8Array; proof: string }) => {
    const { index, hashes, checkpoint } = parseTlogProof(proof);
    return {
      canonicalizedBody: Buffer.from(record),
      inclusionProof: {
        logIndex: String(index),
        hashes: hashes.map((hash) => Buffer.from(hash)),
        checkpoint: { envelope: checkpoint },
      },
    };
  };

  it('our checkpoints and proofs are accepted by it', async () => {
    for (const [index, size] of [
      [0, 1],
      [0, 2],
      [3, 11],
      [10, 11],
      [200, 256],
      [256, 257],
      [13, 300],
    ] as const) {
      const entry = entryOf(await proofOf(index, size));
      const checkpoint = verifyCheckpoint(entry, logs);
      expect(checkpoint.logSize).toBe(BigInt(size));
      verifyMerkleInclusion(entry, checkpoint);
    }
  });

  it('altered ones are not', async () => {
    const made = await proofOf(3, 11);
    const altered = entryOf({ ...made, record: made.record.with(0, 1) });
    expect(() => verifyMerkleInclusion(altered, verifyCheckpoint(altered, logs))).toThrow();
    const { checkpoint } = parseTlogProof(made.proof);
    const larger = checkpoint.replace('\n11\n', '\n12\n');
    expect(parseCheckpoint(larger).size).toBe(12);
    expect(() =>
      verifyCheckpoint(entryOf({ ...made, proof: made.proof.replace(checkpoint, larger) }), logs),
    ).toThrow();
  });
});
