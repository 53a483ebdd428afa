import { HASH_BYTES } from '@bemi-db/proof/hash';
import { partialTileWidth, tileLevels } from '@bemi-db/proof/tile-tree';
import { LogTree } from '../src/append/log-tree.ts';

/** A tree whose leaves nobody knows, for tests of what is written beside it. Its checkpoints are no checkpoints. */
export function treeOfSize(size: number): LogTree {
  const partialTiles = Array.from(
    { length: tileLevels(size) },
    (_, level) => new Uint8Array(partialTileWidth(size, level) * HASH_BYTES),
  );
  return new LogTree({ size, partialTiles }, (signedSize) => `unsigned, of ${signedSize}`);
}
