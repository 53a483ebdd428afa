import { setImmediate } from 'node:timers/promises';
import { HASH_BYTES, sameBytes } from '@bemi-db/proof/hash';
import { foldRoot } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import type { TileReader } from '@bemi-db/proof/tile-reader';
import { TILE_BYTES, TILE_WIDTH } from '@bemi-db/proof/tile-tree';
import { publicationError } from './publication-problem.ts';
import type { RecentTiles } from './recent-tiles.ts';

/** Reads full tiles from the audit database: those of a level from `fromIndex` to before `toIndex`, 8192 bytes each. */
export type FullTiles = (level: number, fromIndex: number, toIndex: number) => Promise<readonly Uint8Array[]>;

/** A committed state of the log. */
export interface Offer {
  /** The signed note. */
  readonly checkpoint: string;
  readonly size: number;
  /** The partial tile of each level, from 0 on; empty where its width is 0 (as TileTreeState of the proof package). */
  readonly partialTiles: readonly Uint8Array[];
}

const tilesAtOnce = 8;

/** How many full tiles a level has in a tree of this size. */
export function fullTileCount(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** (level + 1));
}

/**
 * The tiles of an offered tree. The partial ones are the worker's own; the full ones come from the audit database, whose
 * owner may have altered them, and are checked before they are given: a tile's root stands in the tile above it, up to
 * a partial one. So nothing wrong is published under a path that never changes, and an alteration is noticed.
 */
export class OfferedTree {
  readonly #offer: Offer;
  readonly #fullTiles: FullTiles;
  readonly #ownTiles: RecentTiles | undefined;
  /** The last parent of each level that was read: neighbours have the same. */
  readonly #parents: { readonly index: number; readonly hashes: Uint8Array }[] = [];

  constructor(offer: Offer, fullTiles: FullTiles, ownTiles?: RecentTiles) {
    this.#offer = offer;
    this.#fullTiles = fullTiles;
    this.#ownTiles = ownTiles;
  }

  readonly read: TileReader = async (level, index, width) => {
    if (index < fullTileCount(this.#offer.size, level)) return (await this.full(level, index, index + 1))[0]!;
    const partial = this.#offer.partialTiles[level];
    if (partial === undefined || partial.length < width * HASH_BYTES)
      throw new RangeError(`The offer of size ${this.#offer.size} has no partial tile of level ${level}.`);
    return partial;
  };

  /** @throws ProblemError where the audit database has not the tiles of this tree */
  async full(level: number, fromIndex: number, toIndex: number): Promise<readonly Uint8Array[]> {
    const own = this.#ownTiles?.range(level, fromIndex, toIndex);
    if (own) return own;
    const tiles = await this.#fullTiles(level, fromIndex, toIndex);
    for (let index = fromIndex; index < toIndex; index++) {
      // 90 µs for each: the pipeline, which shares the thread, waits for a few of them at most.
      if ((index - fromIndex) % tilesAtOnce === tilesAtOnce - 1) await setImmediate();
      const tile = tiles[index - fromIndex];
      if (tile?.length !== TILE_BYTES) throw alteredTile(level, index, 'is missing');
      const parent = await this.#parent(level, index);
      const at = (index % TILE_WIDTH) * HASH_BYTES;
      if (!sameBytes(foldRoot(sha256Into, tile, TILE_WIDTH), parent.subarray(at, at + HASH_BYTES)))
        throw alteredTile(level, index, 'was altered');
    }
    return tiles;
  }

  async #parent(level: number, index: number): Promise<Uint8Array> {
    const parentIndex = Math.floor(index / TILE_WIDTH);
    const known = this.#parents[level];
    if (known?.index === parentIndex) return known.hashes;
    const hashes = await this.read(level + 1, parentIndex, (index % TILE_WIDTH) + 1);
    this.#parents[level] = { index: parentIndex, hashes };
    return hashes;
  }
}

function alteredTile(level: number, index: number, what: string): Error {
  return publicationError(
    'publication-tiles',
    `The tile ${level}/${index} in the audit database ${what}: it is not the one that was signed, and is not published.`,
    'Run bemi verify: it names what else is wrong.',
  );
}
