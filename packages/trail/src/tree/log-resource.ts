import { encodeEntryBundle } from '@bemi-db/proof/entry-bundle';
import { HASH_BYTES } from '@bemi-db/proof/hash';
import { parseTilePath, type TilePath } from '@bemi-db/proof/tile-path';
import { TILE_WIDTH } from '@bemi-db/proof/tile-tree';
import type pg from 'pg';
import { readEntries } from '../entries/read-entries.ts';
import { readFullTiles, readPartialTile } from './stored-tree.ts';

/** What is served under a path of tlog-tiles. */
export interface LogResource {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Whether it never changes. */
  readonly isImmutable: boolean;
}

/**
 * The checkpoint, a tile or a bundle of records of a log, by its path in docs/spec/log.md ("Served"), without a slash in
 * front. There is no row, key or context in any of them.
 *
 * @returns undefined for what the log has not, or not yet, or no more.
 */
export async function readLogResource(
  client: pg.ClientBase,
  log: number,
  path: string,
): Promise<LogResource | undefined> {
  const end = await readSignedEnd(client, log);
  if (!end) return undefined;
  if (path === 'checkpoint') {
    return {
      contentType: 'text/plain; charset=utf-8',
      body: Buffer.from(end.checkpoint),
      isImmutable: false,
    };
  }
  const tile = parseTilePath(path);
  if (!tile) return undefined;
  const level = tile.level === 'entries' ? 0 : tile.level;
  const last = tile.index * TILE_WIDTH + tile.width;
  // Nothing beyond what was signed: a part of a large transaction may be stored already.
  if (last > Math.floor(end.size / TILE_WIDTH ** level)) return undefined;
  const body =
    tile.level === 'entries'
      ? await readBundle(client, log, tile)
      : await readTile(client, log, end.size, { ...tile, level });
  return body && { contentType: 'application/octet-stream', body, isImmutable: true };
}

async function readTile(
  client: pg.ClientBase,
  log: number,
  size: number,
  { level, index, width }: TilePath & { readonly level: number },
): Promise<Uint8Array | undefined> {
  const isFull = (index + 1) * TILE_WIDTH <= Math.floor(size / TILE_WIDTH ** level);
  const hashes = isFull
    ? (await readFullTiles(client, log, level, index, index + 1))[0]
    : await readPartialTile(client, log, size, level);
  return hashes?.subarray(0, width * HASH_BYTES);
}

async function readBundle(
  client: pg.ClientBase,
  log: number,
  { index, width }: TilePath,
): Promise<Uint8Array | undefined> {
  const from = index * TILE_WIDTH;
  const chunk = await readEntries(client, log, from, from + width);
  if (chunk.ends.includes(0)) return undefined;
  const records = Array.from(chunk.ends, (end, i) => chunk.records.subarray(chunk.starts[i], end));
  return encodeEntryBundle(records);
}

async function readSignedEnd(
  client: pg.ClientBase,
  log: number,
): Promise<{ size: number; checkpoint: string } | undefined> {
  const { rows } = await client.query<{ size: string; checkpoint: string }>(
    'SELECT size, checkpoint FROM bemi.frontier WHERE log = $1',
    [log],
  );
  const row = rows[0];
  return row && { size: Number(row.size), checkpoint: row.checkpoint };
}
