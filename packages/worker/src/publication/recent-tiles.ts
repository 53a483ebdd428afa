import type { FullTile } from '@bemi-db/proof/tile-tree';

/** 16 MB. */
const mostTiles = 2_048;

/**
 * The full tiles that this process's own tree has made lately. They are published as they are; what is read from the
 * audit database must be compared with the tree first, which takes 90 µs a tile.
 */
export class RecentTiles {
  readonly #tiles = new Map<string, Uint8Array>();

  add(tiles: readonly FullTile[]): void {
    for (const { level, index, hashes } of tiles) this.#tiles.set(`${level}/${index}`, hashes);
    for (const key of this.#tiles.keys()) {
      if (this.#tiles.size <= mostTiles) break;
      this.#tiles.delete(key); // the oldest
    }
  }

  /** The tiles of a level in [from, to), or `undefined` where one of them is not here. */
  range(level: number, from: number, to: number): readonly Uint8Array[] | undefined {
    const tiles: Uint8Array[] = [];
    for (let index = from; index < to; index++) {
      const tile = this.#tiles.get(`${level}/${index}`);
      if (tile === undefined) return undefined;
      tiles.push(tile);
    }
    return tiles;
  }
}
