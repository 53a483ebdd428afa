import { frontierCount } from './frontier.ts';
import { copyHash, HASH_BYTES, type HashInto, sameBytes } from './hash.ts';
import { emptyRoot, foldFrontierInPlace, foldToFrontier, mergeInPlace, nodeView } from './merkle-tree.ts';

/** Hashes in a full tile (c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256;
/** Bytes of a full tile. */
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/** A full tile: `hashes` are 256 hashes, 8192 bytes. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
}

/** What a tree is restored from. */
export interface TileTreeState {
  readonly size: number;
  /**
   * The partial tile of each level, from 0 on: 32 bytes for each hash, empty where its width is 0. Level *l* has
   * floor(size / 256^l) mod 256 hashes.
   */
  readonly partialTiles: readonly Uint8Array[];
}

/** The width of the partial tile of a level in a tree of this size: 0 to 255. */
export function partialTileWidth(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level) % TILE_WIDTH;
}

/** How many levels have a full or partial tile in a tree of this size. */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / TILE_WIDTH)) levels++;
  return levels;
}

/**
 * A growing tree (RFC 6962, section 2.1) that knows no more of its past than its edge needs: the partial tile of
 * each level, and the frontier, from which the root follows by as many hashes as the size has binary ones.
 *
 * The frontier is kept as a stack, largest subtree first. A new leaf is pushed, and as many pairs are merged as the
 * number of leaves before it ends in binary ones: one merge for a leaf on average. Eight merges make the hash of a
 * full tile, which is pushed to the partial tile of the level above.
 */
export class TileTree {
  readonly #hash: HashInto;
  #size = 0;
  /** From byte 1 on: {@link mergeInPlace} needs the byte before. */
  readonly #stack = new Uint8Array(1 + 64 * HASH_BYTES);
  /** A view on the node that is hashed at each height of the stack. */
  readonly #nodes: Uint8Array[] = [];
  #stacked = 0;
  readonly #tiles: Uint8Array[] = [];
  readonly #widths: number[] = [];

  /** @throws RangeError where a partial tile hasn't the length that the size gives it */
  constructor(hash: HashInto, state: TileTreeState = { size: 0, partialTiles: [] }) {
    this.#hash = hash;
    if (!Number.isSafeInteger(state.size) || state.size < 0)
      throw new RangeError(`A tree's size is a whole number from 0 to 2^53 - 1, got ${state.size}.`);
    this.#size = state.size;
    const levels = tileLevels(state.size);
    for (let level = 0; level < levels; level++) {
      const width = partialTileWidth(state.size, level);
      const hashes = state.partialTiles[level] ?? new Uint8Array(0);
      if (hashes.length !== width * HASH_BYTES)
        throw new RangeError(
          `The partial tile of level ${level} in a tree of size ${state.size} has ${width * HASH_BYTES} bytes, got ${hashes.length}.`,
        );
      const tile = new Uint8Array(TILE_BYTES);
      tile.set(hashes);
      this.#tiles[level] = tile;
      this.#widths[level] = width;
    }
    for (let level = levels - 1; level >= 0; level--) {
      const at = 1 + this.#stacked * HASH_BYTES;
      this.#stacked += foldToFrontier(hash, this.#tiles[level]!, this.#widths[level]!, this.#stack, at);
    }
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Appends leaves.
   *
   * @param leafHashes - 32 bytes for each leaf, from the start of the array on
   * @param count - how many of them
   * @param offset - leaves of the array to pass over first
   * @returns the tiles that became full, in order of their completion; a lower level's comes before its parent's
   */
  append(leafHashes: Uint8Array, count: number, offset = 0): readonly FullTile[] {
    if (leafHashes.length < (offset + count) * HASH_BYTES)
      throw new RangeError(
        `${offset + count} leaf hashes are ${(offset + count) * HASH_BYTES} bytes, got ${leafHashes.length}.`,
      );
    let full: FullTile[] | undefined;
    for (let i = 0; i < count; i++) {
      copyHash(leafHashes, (offset + i) * HASH_BYTES, this.#stack, 1 + this.#stacked * HASH_BYTES);
      this.#stacked++;
      for (let level = 0; this.#push(level); level++) {
        full ??= [];
        full.push(this.#takeFull(level));
      }
      this.#size++;
    }
    return full ?? NO_TILES;
  }

  /** Puts the hash on top of the stack into the partial tile of `level`, and merges. True where the tile is full. */
  #push(level: number): boolean {
    const stack = this.#stack;
    const width = this.#widths[level] ?? 0;
    this.#tiles[level] ??= new Uint8Array(TILE_BYTES);
    const tile = this.#tiles[level];
    copyHash(stack, 1 + (this.#stacked - 1) * HASH_BYTES, tile, width * HASH_BYTES);
    for (let ones = width; (ones & 1) === 1; ones >>= 1) {
      this.#stacked--;
      const at = 1 + (this.#stacked - 1) * HASH_BYTES;
      this.#nodes[this.#stacked] ??= nodeView(stack, at);
      mergeInPlace(this.#hash, stack, at, this.#nodes[this.#stacked]);
    }
    this.#widths[level] = width + 1;
    return width + 1 === TILE_WIDTH;
  }

  #takeFull(level: number): FullTile {
    this.#widths[level] = 0;
    const hashes = this.#tiles[level]!;
    this.#tiles[level] = new Uint8Array(TILE_BYTES);
    return { level, index: Math.floor(this.#size / TILE_WIDTH ** (level + 1)), hashes };
  }

  /** The roots of the perfect subtrees, largest first: 32 bytes for each one in the binary size. */
  frontier(): Uint8Array {
    return this.#stack.slice(1, 1 + this.#stacked * HASH_BYTES);
  }

  /** The root: 32 bytes. */
  root(): Uint8Array {
    if (this.#stacked === 0) return emptyRoot(this.#hash);
    const stack = this.#stack.slice(0, 1 + this.#stacked * HASH_BYTES);
    foldFrontierInPlace(this.#hash, stack, this.#stacked);
    return stack.slice(1, 1 + HASH_BYTES);
  }

  /** What {@link TileTree} is restored from. */
  state(): TileTreeState {
    return {
      size: this.#size,
      partialTiles: this.#tiles.map((tile, level) => tile.slice(0, (this.#widths[level] ?? 0) * HASH_BYTES)),
    };
  }

  /** Another tree of the same leaves, which grows on its own. */
  clone(): TileTree {
    const copy = new TileTree(this.#hash);
    copy.#size = this.#size;
    copy.#stack.set(this.#stack);
    copy.#stacked = this.#stacked;
    copy.#tiles.push(...this.#tiles.map((tile) => tile.slice()));
    copy.#widths.push(...this.#widths);
    return copy;
  }
}

const NO_TILES: readonly FullTile[] = [];

/**
 * Whether partial tiles are those of the tree that this frontier belongs to: to be asked before a tree that was
 * read from the audit database is continued and signed.
 */
export function partialTilesAgree(hash: HashInto, state: TileTreeState, frontier: Uint8Array): boolean {
  if (frontier.length !== frontierCount(state.size) * HASH_BYTES) return false;
  for (let level = 0; level < tileLevels(state.size); level++)
    if ((state.partialTiles[level]?.length ?? 0) !== partialTileWidth(state.size, level) * HASH_BYTES)
      return false;
  return sameBytes(new TileTree(hash, state).frontier(), frontier);
}
