import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HASH_BYTES, sameBytes, sameHash } from '@bemi-db/proof/hash';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { type TileReader, treeHashAt } from '@bemi-db/proof/tile-reader';
import { partialTileWidth, TILE_WIDTH } from '@bemi-db/proof/tile-tree';
import { readEntries } from '@bemi-db/trail/entries/read-entries';
import type { StoredFinding } from '@bemi-db/trail/verify/stored-finding';
import { logFolder } from '@bemi-db/worker/publication/log-folder';
import type pg from 'pg';
import type { Evidence } from './verification.ts';

/**
 * The audit database stores full tiles only, so of the newest entries, 255 at most, it can only be said that one of them
 * was altered. Tiles that the worker published hold their hashes too: where a signed checkpoint vouches for them, they
 * tell which one it is.
 *
 * @returns `undefined` where the finding is no range, or nothing that was published tells more.
 */
export async function pinpoint(
  client: pg.ClientBase,
  log: number,
  finding: StoredFinding,
  { checkpoints, tileFolders }: Evidence,
  size: number,
): Promise<StoredFinding | undefined> {
  if (finding.code !== 'altered' || finding.count === 1 || finding.count > TILE_WIDTH * 2) return undefined;
  const { sequence: from, count } = finding;
  const entries = await readEntries(client, log, from, from + count);
  for (const folder of tileFolders) {
    for (const { checkpoint } of checkpoints.toReversed()) {
      if (checkpoint.size < from + count || checkpoint.size > size) continue;
      const tiles = publishedTiles(join(folder, logFolder(checkpoint.origin)));
      try {
        if (!sameBytes(await treeHashAt(sha256Into, checkpoint.size, tiles), checkpoint.root)) continue;
        for (let index = 0; index < count; index++) {
          const end = entries.ends[index]!;
          const logged = await leafOf(tiles, checkpoint.size, from + index);
          const record = entries.records.subarray(entries.starts[index], end);
          const isSame = end > 0 && sameHash(leafHash(sha256Into, record), 0, logged, 0);
          if (!isSame) return { code: 'altered', sequence: from + index, count: 1 };
        }
      } catch {
        // Tiles of this checkpoint are not there any more: another one may have its own.
      }
    }
  }
  return undefined;
}

function publishedTiles(folder: string): TileReader {
  return async (level, index, width) => readFileSync(join(folder, formatTilePath({ level, index, width })));
}

async function leafOf(tiles: TileReader, size: number, sequence: number): Promise<Uint8Array> {
  const index = Math.floor(sequence / TILE_WIDTH);
  const width = (index + 1) * TILE_WIDTH <= size ? TILE_WIDTH : partialTileWidth(size, 0);
  const tile = await tiles(0, index, width);
  const at = (sequence % TILE_WIDTH) * HASH_BYTES;
  return tile.subarray(at, at + HASH_BYTES);
}
