import { copyHash, HASH_BYTES, type HashInto } from './hash.ts';
import { emptyRoot, foldFrontierInPlace, foldRoot } from './merkle-tree.ts';
import { partialTileWidth, TILE_WIDTH } from './tile-tree.ts';

/**
 * Reads a tile: its first `width` hashes, 32 bytes each; more is allowed. Only tiles of the tree that the proof is
 * about are asked for, with the width that they have in it: a full one where it is full.
 */
export type TileReader = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** A reader that asks for each tile once, for the proofs of one tree. */
export function cachedTiles(reader: TileReader): TileReader {
  const tiles = new Map<string, Promise<Uint8Array>>();
  return (level, index, width) => {
    const key = `${level}/${index}/${width}`;
    let tile = tiles.get(key);
    if (tile === undefined) {
      tile = reader(level, index, width);
      tiles.set(key, tile);
    }
    return tile;
  };
}

/**
 * MTH(D[start:end]) of the tree of `size` leaves. `start` is a multiple of the largest power of two below the
 * range's length, as in every range that RFC 6962, section 2.1 divides a tree into.
 */
export async function rangeHash(
  hash: HashInto,
  size: number,
  start: number,
  end: number,
  reader: TileReader,
): Promise<Uint8Array> {
  const subtrees: Uint8Array[] = [];
  for (let at = start; at < end; ) {
    let leaves = 1;
    while (at % (leaves * 2) === 0 && at + leaves * 2 <= end) leaves *= 2;
    subtrees.push(await perfectSubtree(hash, size, at, leaves, reader));
    at += leaves;
  }
  const stack = new Uint8Array(1 + subtrees.length * HASH_BYTES);
  for (const [i, subtree] of subtrees.entries()) copyHash(subtree, 0, stack, 1 + i * HASH_BYTES);
  foldFrontierInPlace(hash, stack, subtrees.length);
  return stack.slice(1, 1 + HASH_BYTES);
}

/** The root of `leaves` leaves (a power of two) from `start` on (a multiple of it). */
async function perfectSubtree(
  hash: HashInto,
  size: number,
  start: number,
  leaves: number,
  reader: TileReader,
): Promise<Uint8Array> {
  let level = 0;
  let width = leaves;
  let first = start;
  while (width >= TILE_WIDTH) {
    level++;
    width /= TILE_WIDTH;
    first /= TILE_WIDTH;
  }
  const index = Math.floor(first / TILE_WIDTH);
  const hashesOfLevel = Math.floor(size / TILE_WIDTH ** level);
  const tileWidth = (index + 1) * TILE_WIDTH <= hashesOfLevel ? TILE_WIDTH : partialTileWidth(size, level);
  const tile = await reader(level, index, tileWidth);
  if (tile.length < tileWidth * HASH_BYTES)
    throw new RangeError(
      `Tile ${level}/${index} of a tree of size ${size} has ${tileWidth * HASH_BYTES} bytes, got ${tile.length}.`,
    );
  const at = (first % TILE_WIDTH) * HASH_BYTES;
  return foldRoot(hash, tile.subarray(at, at + width * HASH_BYTES), width);
}

/** The root that the tree had at `size`, from the tiles of a tree of that size or of a larger one. */
export async function treeHashAt(hash: HashInto, size: number, reader: TileReader): Promise<Uint8Array> {
  return size === 0 ? emptyRoot(hash) : rangeHash(hash, size, 0, size, reader);
}
