import { verifySignatures } from '@bemi-db/proof/checkpoint';
import { sha256Into, verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { parseOrigin } from '@bemi-db/proof/origin';
import { type RootOutcome, RootVerifier } from '@bemi-db/proof/root-verifier';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { partialTileWidth, TILE_BYTES, TILE_WIDTH, tileLevels } from '@bemi-db/proof/tile-tree';
import { verifierKey } from '@bemi-db/proof/verifier-key';
import type { PublicationTarget } from '@bemi-db/worker/publication/publication-target';
import type { KeptCheckpoint } from './kept-checkpoints.ts';
import type { KnownKey } from './known-keys.ts';

/** What is wrong with what was published, in a sentence. */
export interface PublishedFinding {
  readonly code: 'wrong-key' | 'forked' | 'tile-missing' | 'tile-altered';
  readonly sentence: string;
}

export interface PublishedReport {
  readonly size: number;
  readonly checkpoints: number;
  readonly findings: readonly PublishedFinding[];
}

const readAhead = 32;

/**
 * Verifies a published log by itself: every tile of every level, and every checkpoint that is kept there, against the
 * newest. There are no records in it, so this says that one history was signed, and nothing of what it is about.
 */
export async function verifyPublished(
  target: PublicationTarget,
  folder: string,
  checkpoints: readonly KeptCheckpoint[],
  keys: readonly KnownKey[],
  onProgress: (done: number, total: number) => void,
): Promise<PublishedReport> {
  const findings: PublishedFinding[] = [];
  const ordered = [...checkpoints].sort((a, b) => a.checkpoint.size - b.checkpoint.size);
  const newest = ordered.at(-1)!.checkpoint;
  const outcomes: RootOutcome[] = [];
  const roots = new RootVerifier(sha256Into, (outcome) => outcomes.push(outcome));
  for (const { checkpoint } of ordered) roots.expect({ checkpoint, outside: true });
  const { size } = newest;
  const read = async (level: number, index: number): Promise<Uint8Array | undefined> => {
    const full = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = index < full ? TILE_WIDTH : partialTileWidth(size, level);
    const bytes = await target.read(`${folder}/${formatTilePath({ level, index, width })}`);
    return bytes?.length === width * (TILE_BYTES / TILE_WIDTH) ? bytes : undefined;
  };
  const count = Math.ceil(size / TILE_WIDTH);
  for (let first = 0; first < count; first += readAhead) {
    const indexes = Array.from({ length: Math.min(readAhead, count - first) }, (_, i) => first + i);
    const tiles = await Promise.all(indexes.map((index) => read(0, index)));
    for (const [i, tile] of tiles.entries()) {
      const index = first + i;
      const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
      if (tile === undefined) findings.push(missingTile(0, index));
      const stored = width === TILE_WIDTH ? tile : undefined;
      roots.tile({ index, width, computed: tile, stored, agree: true, findings: [], unexplained: [] });
    }
    onProgress(Math.min((first + readAhead) * TILE_WIDTH, size), size);
  }
  for (let level = 1; level < tileLevels(size); level++) {
    for (let index = 0; index < Math.floor(size / TILE_WIDTH ** (level + 1)); index++) {
      const tile = await read(level, index);
      if (tile === undefined) findings.push(missingTile(level, index));
      else roots.upperTile(level, index, tile);
    }
  }
  roots.finish();
  for (const found of roots.findings) {
    if (found.code === 'tile-altered')
      findings.push({
        code: 'tile-altered',
        sentence: `Tile ${found.level}/${found.index} is not that of the tree below it.`,
      });
  }
  for (const { checkpoint, root } of outcomes) {
    if (root === 'other')
      findings.push({
        code: 'forked',
        sentence: `The checkpoint at ${checkpoint.size} entries is of another history than the tiles.`,
      });
  }
  findings.push(...(await wrongKeys(ordered, keys)));
  return { size, checkpoints: ordered.length, findings };
}

function missingTile(level: number, index: number): PublishedFinding {
  return { code: 'tile-missing', sentence: `Tile ${level}/${index} is not there, or has another length.` };
}

async function wrongKeys(
  checkpoints: readonly KeptCheckpoint[],
  keys: readonly KnownKey[],
): Promise<PublishedFinding[]> {
  const findings: PublishedFinding[] = [];
  for (const { where, checkpoint } of checkpoints) {
    const { origin, note, size } = checkpoint;
    const logId = parseOrigin(origin)?.logId;
    const ofLog = keys
      .filter(({ key }) => parseOrigin(key.name)?.logId === logId)
      .map(({ key }) => verifierKey(sha256Into, origin, key.publicKey));
    const { valid } = await verifySignatures(note, ofLog, verifyEd25519);
    if (!valid)
      findings.push({
        code: 'wrong-key',
        sentence: `The checkpoint at ${size} entries in ${where} is not signed by a key that was given.`,
      });
  }
  return findings;
}
