import { leafHash } from '../src/merkle-tree.ts';
import { sha256Into } from '../src/node-crypto.ts';
import type { TileReader } from '../src/tile-reader.ts';
import { TileTree } from '../src/tile-tree.ts';

/** A tree of n leaves with its tiles, as the audit database holds it: full ones stored, partial ones derived. */
export function grow(leaves: Uint8Array[], step = 1) {
  const tree = new TileTree(sha256Into);
  const tiles = new Map<string, Uint8Array>();
  for (let at = 0; at < leaves.length; at += step) {
    const batch = leaves.slice(at, at + step);
    const hashes = new Uint8Array(batch.length * 32);
    for (const [i, leaf] of batch.entries()) hashes.set(leafHash(sha256Into, leaf), i * 32);
    for (const tile of tree.append(hashes, batch.length))
      tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
  }
  const reader: TileReader = async (level, index, width) => {
    const tile =
      tiles.get(`${level}/${index}`) ??
      (index === Math.floor(tree.size / 256 ** (level + 1)) ? tree.state().partialTiles[level] : undefined);
    if (tile === undefined || tile.length < width * 32)
      throw new Error(`no tile ${level}/${index} of ${width}`);
    return tile.slice(0, width * 32);
  };
  return { tree, tiles, reader };
}

/** Leaf i is the text `leaf i`. */
export const leavesOf = (n: number) =>
  Array.from({ length: n }, (_, i) => new TextEncoder().encode(`leaf ${i}`));
