import { verifySignatures } from '@bemi-db/proof/checkpoint';
import type { Finding } from '@bemi-db/proof/finding';
import { sha256Into, verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { parseOrigin } from '@bemi-db/proof/origin';
import { type RootOutcome, RootVerifier } from '@bemi-db/proof/root-verifier';
import { formatTilePath, type TilePath } from '@bemi-db/proof/tile-path';
import { partialTileWidth, TILE_BYTES, TILE_WIDTH, tileLevels } from '@bemi-db/proof/tile-tree';
import { verifierKey } from '@bemi-db/proof/verifier-key';
import type { PublicationTarget } from '@bemi-db/worker/publication/publication-target';
import { countText } from '../presentation/quantity-text.ts';
import { findingSentences } from './finding-sentences.ts';
import type { KeptCheckpoint } from './kept-checkpoints.ts';
import type { KnownKey } from './known-keys.ts';
import { PublishedRecords } from './published-records.ts';

/** What is wrong with what was published, in a sentence. */
export interface PublishedFinding {
  readonly code: Finding['code'];
  readonly sentence: string;
  /** Of the entry that it is about, or of the first one. */
  readonly sequence?: number;
  readonly count?: number;
}

/** What the published records are of. */
export interface PublishedRecordCounts {
  /** Whose record is there and as it was logged. */
  readonly entries: number;
  readonly changes: number;
  readonly contexts: number;
  readonly transactions: number;
  /** How many events there are of each kind. */
  readonly events: Readonly<Record<string, number>>;
  readonly opaque: number;
  /** Ranges of sequences whose records are not there, and may have been dropped by retention: an event of it follows. */
  readonly dropped: readonly (readonly [number, number])[];
}

export interface PublishedReport {
  /** Of the checkpoint that stands there: tiles reach so far. */
  readonly size: number;
  /** How many are not larger, and were compared. */
  readonly checkpoints: number;
  /** Larger ones, of which there are no tiles yet. */
  readonly aheadCheckpoints: number;
  /** Where records are published. */
  readonly records: PublishedRecordCounts | undefined;
  readonly findings: readonly PublishedFinding[];
}

const readAhead = 32;

/**
 * Verifies a published log by itself: every tile of every level, and every checkpoint that is kept there, up to the one
 * that stands there as the newest; and where records are published, every leaf, and the rules that records show by
 * themselves. A worker keeps checkpoints while it catches up with tiles: of larger ones nothing can be said.
 *
 * @param size - of the checkpoint that stands there
 */
export async function verifyPublished(
  target: PublicationTarget,
  folder: string,
  size: number,
  checkpoints: readonly KeptCheckpoint[],
  keys: readonly KnownKey[],
  onProgress: (done: number, total: number) => void,
): Promise<PublishedReport> {
  const ordered = checkpoints
    .filter(({ checkpoint }) => checkpoint.size <= size)
    .sort((a, b) => a.checkpoint.size - b.checkpoint.size);
  const missingTiles: PublishedFinding[] = [];
  const outcomes: RootOutcome[] = [];
  const roots = new RootVerifier(sha256Into, (outcome) => outcomes.push(outcome));
  for (const { checkpoint } of ordered) roots.expect({ checkpoint, outside: true });
  const read = (path: TilePath) => target.read(`${folder}/${formatTilePath(path)}`);
  const readTile = async (level: number, index: number): Promise<Uint8Array | undefined> => {
    const full = Math.floor(size / TILE_WIDTH ** (level + 1));
    const width = index < full ? TILE_WIDTH : partialTileWidth(size, level);
    const bytes = await read({ level, index, width });
    return bytes?.length === width * (TILE_BYTES / TILE_WIDTH) ? bytes : undefined;
  };
  const widthOf = (index: number) => Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
  const readBundle = (index: number) => read({ level: 'entries', index, width: widthOf(index) });
  const count = Math.ceil(size / TILE_WIDTH);
  const records = (await holdsRecords(count, readBundle)) ? new PublishedRecords() : undefined;
  for (let first = 0; first < count; first += readAhead) {
    const indexes = Array.from({ length: Math.min(readAhead, count - first) }, (_, i) => first + i);
    const files = await Promise.all(
      indexes.map(async (index) => Promise.all([readTile(0, index), records && readBundle(index)])),
    );
    for (const [i, [tile, bundle]] of files.entries()) {
      const index = first + i;
      const width = widthOf(index);
      if (tile === undefined) missingTiles.push(missingTile(0, index));
      const alone = {
        index,
        width,
        computed: tile,
        stored: tile,
        agree: true,
        findings: [],
        unexplained: [],
      };
      roots.tile(records?.compare(index, width, tile, bundle) ?? alone);
    }
    onProgress(Math.min((first + readAhead) * TILE_WIDTH, size), size);
  }
  for (let level = 1; level < tileLevels(size); level++) {
    for (let index = 0; index < Math.floor(size / TILE_WIDTH ** (level + 1)); index++) {
      const tile = await readTile(level, index);
      if (tile === undefined) missingTiles.push(missingTile(level, index));
      else roots.upperTile(level, index, tile);
    }
  }
  roots.finish();
  records?.rules.finish();
  const findings = [
    ...entryFindings(roots.findings, records),
    ...missingTiles,
    ...treeFindings(roots.findings, outcomes),
    ...(await wrongKeys(checkpoints, keys)),
  ];
  return {
    ...{ size, checkpoints: ordered.length, aheadCheckpoints: checkpoints.length - ordered.length },
    ...{ records: records && countsOf(records), findings },
  };
}

/**
 * Whether records are published beside the tiles. Where they aren't, a request for each of them would be in vain: the
 * first ones, the last ones, and those at powers of two are asked for.
 */
async function holdsRecords(
  count: number,
  readBundle: (index: number) => Promise<Uint8Array | undefined>,
): Promise<boolean> {
  const indexes = new Set([0, count - 1, count - 2]);
  for (let index = 1; index < count; index *= 2) indexes.add(index).add(count - index);
  const asked = [...indexes].filter((index) => index >= 0 && index < count);
  return (await Promise.all(asked.map(readBundle))).some((bundle) => bundle !== undefined);
}

/** What is wrong with entries, the first one first. */
function entryFindings(
  ofTree: readonly Finding[],
  records: PublishedRecords | undefined,
): PublishedFinding[] {
  if (records === undefined) return [];
  const findings: PublishedFinding[] = records.malformed.map((index) => ({
    code: 'malformed-record',
    sentence: `The records from entry ${countText(index * TILE_WIDTH)} on can't be read: their bundle is none of so many.`,
    sequence: index * TILE_WIDTH,
  }));
  for (const finding of [...ofTree, ...records.rules.findings]) {
    if (!('sequence' in finding)) continue;
    const { sequence } = finding;
    const count = 'count' in finding ? finding.count : 1;
    const isAbsent = finding.code === 'missing';
    const entries = `${countText(sequence)} to ${countText(sequence + count - 1)}`;
    findings.push({
      code: finding.code,
      sentence: isAbsent
        ? `The records of the entries ${entries} are not there: they were deleted, or not published yet.`
        : `${findingSentences(finding).title}.`,
      sequence,
      ...(count > 1 ? { count } : {}),
    });
  }
  return findings.sort((a, b) => a.sequence! - b.sequence!);
}

function treeFindings(found: readonly Finding[], outcomes: readonly RootOutcome[]): PublishedFinding[] {
  const findings: PublishedFinding[] = [];
  for (const finding of found) {
    if (finding.code === 'tile-altered')
      findings.push({
        code: 'tile-altered',
        sentence: `Tile ${finding.level}/${finding.index} is not that of the tree below it.`,
      });
  }
  for (const { checkpoint, root } of outcomes) {
    if (root === 'other')
      findings.push({
        code: 'forked',
        sentence: `The checkpoint at ${checkpoint.size} entries is of another history than the tiles.`,
      });
  }
  return findings;
}

function missingTile(level: number, index: number): PublishedFinding {
  return { code: 'tile-missing', sentence: `Tile ${level}/${index} is not there, or has another length.` };
}

function countsOf({ entries, rules }: PublishedRecords): PublishedRecordCounts {
  const { changes, contexts, transactions, opaque } = rules;
  const events = Object.fromEntries(rules.events);
  return { entries, changes, contexts, transactions, events, opaque, dropped: rules.dropped.ranges };
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
