import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grow, leavesOf } from '../test/tiled-tree.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { consistencyProof, verifyConsistency } from './consistency-proof.ts';
import { rootOfFrontier } from './frontier.ts';
import { inclusionProof, rootOfInclusionProof, verifyInclusion } from './inclusion-proof.ts';
import { emptyRoot, foldRoot, leafHash, nodeHash } from './merkle-tree.ts';
import { sha256Into } from './node-crypto.ts';
import { formatTilePath, parseTilePath } from './tile-path.ts';
import { treeHashAt } from './tile-reader.ts';
import { partialTilesAgree, partialTileWidth, TileTree, tileLevels } from './tile-tree.ts';

// The reference: RFC 6962, section 2.1, as it reads, on Node's createHash and nothing of ours.
const sha = (...parts: Uint8Array[]) => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return new Uint8Array(digest.digest());
};
const split = (n: number) => 2 ** Math.ceil(Math.log2(n) - 1);
const MTH = (d: Uint8Array[]): Uint8Array =>
  d.length === 0
    ? sha()
    : d.length === 1
      ? sha(Uint8Array.of(0), d[0]!)
      : sha(Uint8Array.of(1), MTH(d.slice(0, split(d.length))), MTH(d.slice(split(d.length))));
const PATH = (m: number, d: Uint8Array[]): Uint8Array[] => {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k
    ? [...PATH(m, d.slice(0, k)), MTH(d.slice(k))]
    : [...PATH(m - k, d.slice(k)), MTH(d.slice(0, k))];
};
const SUBPROOF = (m: number, d: Uint8Array[], b: boolean): Uint8Array[] => {
  if (m === d.length) return b ? [] : [MTH(d)];
  const k = split(d.length);
  return m <= k
    ? [...SUBPROOF(m, d.slice(0, k), b), MTH(d.slice(k))]
    : [...SUBPROOF(m - k, d.slice(k), false), MTH(d.slice(0, k))];
};

describe('against RFC 6962 as it reads', () => {
  it('has the same roots, proofs and old roots, and accepts no other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        fc.nat(),
        fc.nat(255),
        async (n, step, a, b, flip) => {
          const leaves = leavesOf(n);
          const { tree, reader } = grow(leaves, step);
          const root = MTH(leaves);
          expect(tree.root()).toEqual(root);
          expect(rootOfFrontier(sha256Into, n, tree.frontier())).toEqual(root);
          expect(partialTilesAgree(sha256Into, tree.state(), tree.frontier())).toBe(true);

          const index = a % n;
          const path = await inclusionProof(sha256Into, index, n, reader);
          expect(path).toEqual(PATH(index, leaves));
          const leaf = leafHash(sha256Into, leaves[index]!);
          expect(verifyInclusion(sha256Into, leaf, index, n, path, root)).toBe(true);
          expect(verifyInclusion(sha256Into, leaf, index, n, [...path, root], root)).toBe(false);
          expect(verifyInclusion(sha256Into, leaf, index, n, path.slice(1), root)).toBe(n === 1);
          expect(verifyInclusion(sha256Into, leaf, (index + 1) % n, n, path, root)).toBe(n === 1);
          const otherLeaf = leaf.slice();
          otherLeaf[flip % 32]! ^= 1 << (flip % 8);
          expect(verifyInclusion(sha256Into, otherLeaf, index, n, path, root)).toBe(false);

          const oldSize = b % (n + 1);
          const oldRoot = MTH(leaves.slice(0, oldSize));
          expect(await treeHashAt(sha256Into, oldSize, reader)).toEqual(oldRoot);
          const proof = await consistencyProof(sha256Into, oldSize, n, reader);
          expect(proof).toEqual(oldSize === 0 ? [] : SUBPROOF(oldSize, leaves, true));
          expect(verifyConsistency(sha256Into, oldSize, n, proof, oldRoot, root)).toBe(true);
          expect(verifyConsistency(sha256Into, oldSize, n, [...proof, root], oldRoot, root)).toBe(false);
          expect(verifyConsistency(sha256Into, oldSize, n, proof, otherLeaf, root)).toBe(false);
          if (oldSize > 0)
            expect(verifyConsistency(sha256Into, oldSize, n, proof, oldRoot, otherLeaf)).toBe(false);
          for (const [i, node] of proof.entries()) {
            const other = node.slice();
            other[flip % 32]! ^= 1;
            expect(verifyConsistency(sha256Into, oldSize, n, proof.with(i, other), oldRoot, root)).toBe(
              false,
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a tree goes on from its partial tiles as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1100 }), fc.integer({ min: 0, max: 600 }), (before, after) => {
        const leaves = leavesOf(before + after);
        const hashes = new Uint8Array(leaves.length * 32);
        for (const [i, leaf] of leaves.entries()) hashes.set(leafHash(sha256Into, leaf), i * 32);
        const whole = new TileTree(sha256Into);
        const expected = whole.append(hashes, leaves.length);
        const first = new TileTree(sha256Into);
        const tiles = [...first.append(hashes, before)];
        const copy = first.clone();
        const second = new TileTree(sha256Into, structuredClone(first.state()));
        tiles.push(...second.append(hashes, after, before));
        expect(tiles).toEqual(expected);
        expect(second.state()).toEqual(whole.state());
        expect(second.frontier()).toEqual(whole.frontier());
        copy.append(hashes, after, before);
        expect(copy.root()).toEqual(whole.root());
      }),
      { numRuns: 40 },
    );
  });
});

// github.com/google/certificate-transparency (merkletree tests) and github.com/transparency-dev/merkle (testdata),
// both Apache-2.0: eight leaves, the roots of their trees, and proofs by that implementation.
describe('against Certificate Transparency', () => {
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];

  it('has its roots', () => {
    expect(Buffer.from(emptyRoot(sha256Into)).toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    for (const [i, root] of roots.entries())
      expect(Buffer.from(grow(leaves.slice(0, i + 1)).tree.root()).toString('hex')).toBe(root);
  });

  it('makes and verifies its proofs', async () => {
    const inclusion: [number, number, string[]][] = [
      [
        5,
        8,
        [
          'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=',
          'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=',
          '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=',
        ],
      ],
      [
        1,
        5,
        [
          'bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=',
          'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
          'vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=',
        ],
      ],
    ];
    for (const [index, size, proof] of inclusion) {
      const { reader } = grow(leaves.slice(0, size));
      expect((await inclusionProof(sha256Into, index, size, reader)).map(encodeBase64)).toEqual(proof);
    }
    const consistency: [number, number, string[]][] = [
      [
        1,
        8,
        [
          'lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=',
          'Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=',
          'a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=',
        ],
      ],
      [
        6,
        8,
        [
          'DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=',
          'yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=',
          '037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=',
        ],
      ],
    ];
    for (const [oldSize, newSize, proof] of consistency) {
      const { reader } = grow(leaves.slice(0, newSize));
      expect((await consistencyProof(sha256Into, oldSize, newSize, reader)).map(encodeBase64)).toEqual(proof);
      const bytes = proof.map((node) => decodeBase64(node)!);
      const [oldRoot, newRoot] = [oldSize, newSize].map(
        (size) => new Uint8Array(Buffer.from(roots[size - 1]!, 'hex')),
      );
      expect(verifyConsistency(sha256Into, oldSize, newSize, bytes, oldRoot!, newRoot!)).toBe(true);
    }
  });
});

// test/golang-tlog.json: made by golang.org/x/mod/sumdb/tlog, the tree of Go's checksum database.
describe('against golang.org/x/mod/sumdb/tlog', () => {
  const vectors = JSON.parse(readFileSync(new URL('../test/golang-tlog.json', import.meta.url), 'utf8'));
  const { tree, tiles, reader } = grow(leavesOf(70_000), 997);

  it('has its roots and tiles', async () => {
    for (const { size, root } of vectors.roots)
      expect(encodeBase64(await treeHashAt(sha256Into, size, reader))).toBe(root);
    expect(encodeBase64(tree.root())).toBe(vectors.roots.at(-1).root);
    for (const { level, index, width, recordHashOfData } of vectors.tiles)
      expect(encodeBase64(leafHash(sha256Into, await reader(level, index, width)))).toBe(recordHashOfData);
    expect(tiles.size).toBe(273 + 1);
    expect(tileLevels(70_000)).toBe(3);
    expect([0, 1, 2].map((level) => partialTileWidth(70_000, level))).toEqual([112, 17, 1]);
    expect(foldRoot(sha256Into, tiles.get('0/7')!, 256)).toEqual(tiles.get('1/0')!.slice(7 * 32, 8 * 32));
  });

  it('makes its proofs', async () => {
    for (const { index, size, proof } of vectors.inclusion)
      expect((await inclusionProof(sha256Into, index, size, reader)).map(encodeBase64)).toEqual(proof);
    for (const { oldSize, newSize, proof } of vectors.consistency)
      expect((await consistencyProof(sha256Into, oldSize, newSize, reader)).map(encodeBase64)).toEqual(proof);
  });

  it('names tiles as it does, but for the height', () => {
    for (const { level, index, width, path } of [...vectors.paths, ...vectors.tiles]) {
      const ours = path.replace('tile/8/', 'tile/');
      expect(formatTilePath({ level, index, width })).toBe(ours);
      expect(parseTilePath(ours)).toEqual({ level, index, width });
    }
  });
});

describe('inclusion proofs of another length', () => {
  it('make no inner node a leaf', async () => {
    const { tree, reader } = grow(leavesOf(8));
    const path = await inclusionProof(sha256Into, 0, 8, reader);
    const [left, right] = leavesOf(2).map((leaf) => leafHash(sha256Into, leaf));
    const inner = nodeHash(sha256Into, left!, right!);
    expect(verifyInclusion(sha256Into, inner, 0, 8, path.slice(1), tree.root())).toBe(false);
    expect(verifyInclusion(sha256Into, inner, 0, 4, path.slice(1), tree.root())).toBe(true);
    expect(rootOfInclusionProof(sha256Into, left!, 0, 8, [...path, inner])).toBeUndefined();
  });
});

describe('consistency proofs of another length', () => {
  it('prove no other size', async () => {
    const { tree, reader } = grow(leavesOf(8));
    const proof = await consistencyProof(sha256Into, 4, 8, reader);
    const old = await treeHashAt(sha256Into, 4, reader);
    expect(verifyConsistency(sha256Into, 4, 8, proof, old, tree.root())).toBe(true);
    expect(verifyConsistency(sha256Into, 4, 16, proof, old, tree.root())).toBe(false);
  });
});

describe('restoring a tree', () => {
  it('refuses partial tiles of another width, and tells a wrong one', () => {
    const { tree } = grow(leavesOf(300));
    const { size, partialTiles } = tree.state();
    expect(() => new TileTree(sha256Into, { size: size + 1, partialTiles })).toThrow(RangeError);
    const wrong = partialTiles.map((tile) => tile.slice());
    wrong[0]![3]! ^= 1;
    expect(partialTilesAgree(sha256Into, { size, partialTiles: wrong }, tree.frontier())).toBe(false);
    expect(partialTilesAgree(sha256Into, { size, partialTiles: [] }, tree.frontier())).toBe(false);
  });
});

describe('tile paths', () => {
  it('are one for each tile', () => {
    for (const path of [
      'tile/0/000/',
      '/tile/0/000',
      'tile/00/000',
      'tile/64/000',
      'tile/0/0',
      'tile/0/x000/001',
      'tile/0/001/002',
      'tile/0/000.p/0',
      'tile/0/000.p/256',
      'tile/0/000.p/01',
      'tile/data/000',
      'tile/0/x001/x002',
    ])
      expect(parseTilePath(path), path).toBeUndefined();
    expect(parseTilePath('tile/entries/x001/234.p/12')).toEqual({ level: 'entries', index: 1234, width: 12 });
  });
});
