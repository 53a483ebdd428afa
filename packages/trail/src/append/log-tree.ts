import { sha256Into } from '@bemi-db/proof/node-crypto';
import { type FullTile, TileTree, type TileTreeState } from '@bemi-db/proof/tile-tree';
import type { LeafHashes } from './leaf-hashes.ts';

/** Signs a checkpoint of the log at this size with this root: the text of a signed note (docs/spec/log.md). */
export type SignCheckpoint = (size: number, root: Uint8Array) => string;

/** Where a log ends once a unit is committed, signed. */
export interface TreeHead {
  readonly size: number;
  /** Roots of the perfect subtrees, largest first. */
  readonly frontier: Uint8Array;
  readonly checkpoint: string;
  /** Partial tile of each level, for those who publish them. */
  readonly partialTiles: readonly Uint8Array[];
}

/**
 * The Merkle tree of a log as its writer holds it. Leaves are hashed from what came from the source, before the audit
 * database has seen it; what that database holds of the tree is only read when a session starts, and compared with what
 * was signed.
 */
export class LogTree {
  readonly #tree: TileTree;
  readonly #sign: SignCheckpoint;

  constructor(state: TileTreeState, sign: SignCheckpoint) {
    this.#tree = new TileTree(sha256Into, state);
    this.#sign = sign;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Appends the first `count` of the leaves. Returns the tiles that became full. */
  append(leaves: LeafHashes, count: number): readonly FullTile[] {
    return this.#tree.append(leaves.bytes, count);
  }

  /** Where the tree ends now. */
  edge(): Omit<TreeHead, 'checkpoint'> {
    const { size, partialTiles } = this.#tree.state();
    return { size, frontier: this.#tree.frontier(), partialTiles };
  }

  /** Signs the tree as it is now. */
  head(): TreeHead {
    return { ...this.edge(), checkpoint: this.#sign(this.#tree.size, this.#tree.root()) };
  }
}
