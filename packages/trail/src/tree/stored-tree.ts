import { HASH_BYTES } from '@bemi-db/proof/hash';
import { foldRoot, leafHash } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import type { TileReader } from '@bemi-db/proof/tile-reader';
import {
  partialTilesAgree,
  partialTileWidth,
  TILE_WIDTH,
  type TileTreeState,
  tileLevels,
} from '@bemi-db/proof/tile-tree';
import type pg from 'pg';
import type { EntryChunk } from '../entries/entry-chunk.ts';
import { readEntries } from '../entries/read-entries.ts';

/** What the audit database holds of a log's tree. Nothing of it is proven until its root is compared with what was signed. */
export interface StoredTree {
  readonly state: TileTreeState;
  /** The checkpoint that was signed last. */
  readonly checkpoint: string;
}

/** The stored tree and the entries don't belong together: something was altered. */
export class StoredTreeError extends Error {
  override readonly name = 'StoredTreeError';
}

/**
 * Reads where a log's tree ends, so that it can grow on: the partial tiles, from full tiles and the newest entries, which
 * are hashed again.
 *
 * @param size - the log's next sequence; more than 0.
 * @throws StoredTreeError where tiles, entries, frontier and size contradict each other.
 */
export async function readStoredTree(client: pg.ClientBase, log: number, size: number): Promise<StoredTree> {
  const { rows } = await client.query<{ size: string; hashes: Buffer; checkpoint: string }>(
    'SELECT size, hashes, checkpoint FROM bemi.frontier WHERE log = $1',
    [log],
  );
  const frontier = rows[0];
  if (!frontier) throw new StoredTreeError('The row of the table frontier is gone');
  if (Number(frontier.size) !== size) {
    throw new StoredTreeError(
      `The tree was signed with ${frontier.size} entries, and the log ends at ${size}`,
    );
  }
  const partialTiles: Uint8Array[] = [];
  for (let level = 0; level < tileLevels(size); level++) {
    partialTiles.push(await readPartialTile(client, log, size, level));
  }
  const state = { size, partialTiles };
  if (!partialTilesAgree(sha256Into, state, frontier.hashes)) {
    throw new StoredTreeError('The newest entries, or the tiles, are not those that were signed');
  }
  return { state, checkpoint: frontier.checkpoint };
}

/** Reads the tiles of a log's tree as it is now: full ones from the table, partial ones from what they are made of. */
export function storedTiles(client: pg.ClientBase, log: number, state: TileTreeState): TileReader {
  return async (level, index, width) => {
    if (width < TILE_WIDTH && index === Math.floor(state.size / TILE_WIDTH ** (level + 1)))
      return state.partialTiles[level] ?? new Uint8Array(0);
    const [tile] = await readFullTiles(client, log, level, index, index + 1);
    if (!tile) throw new StoredTreeError(`The tile ${level}/${index} is gone`);
    return tile;
  };
}

/** The full tiles of a level with indexes in [from, to), in order; those that are gone are left out. */
export async function readFullTiles(
  client: pg.ClientBase,
  log: number,
  level: number,
  from: number,
  to: number,
): Promise<Uint8Array[]> {
  const { rows } = await client.query<{ hashes: Buffer }>(
    'SELECT hashes FROM bemi.tiles WHERE log = $1 AND level = $2 AND index >= $3 AND index < $4 ORDER BY index',
    [log, level, from, to],
  );
  return rows.map(({ hashes }) => hashes);
}

/** The hashes of a level that no full tile holds yet. */
export async function readPartialTile(
  client: pg.ClientBase,
  log: number,
  size: number,
  level: number,
): Promise<Uint8Array> {
  const width = partialTileWidth(size, level);
  if (width === 0) return new Uint8Array(0);
  if (level === 0) return leafHashes(await readEntries(client, log, size - width, size));
  const end = Math.floor(size / TILE_WIDTH ** level);
  const children = await readFullTiles(client, log, level - 1, end - width, end);
  if (children.length !== width)
    throw new StoredTreeError(`${width - children.length} tiles of level ${level - 1} are gone`);
  const hashes = new Uint8Array(width * HASH_BYTES);
  for (const [i, child] of children.entries())
    hashes.set(foldRoot(sha256Into, child, TILE_WIDTH), i * HASH_BYTES);
  return hashes;
}

/** The leaf hash of each entry; 32 zero bytes for one that is missing. */
function leafHashes(chunk: EntryChunk): Uint8Array {
  const hashes = new Uint8Array(chunk.count * HASH_BYTES);
  for (let index = 0; index < chunk.count; index++) {
    if (chunk.ends[index] === 0) continue;
    const record = chunk.records.subarray(chunk.starts[index], chunk.ends[index]);
    hashes.set(leafHash(sha256Into, record), index * HASH_BYTES);
  }
  return hashes;
}
