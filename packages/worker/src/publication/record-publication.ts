import { setImmediate } from 'node:timers/promises';
import { encodeEntryBundle } from '@bemi-db/proof/entry-bundle';
import { HASH_BYTES, sameHash } from '@bemi-db/proof/hash';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { TILE_WIDTH } from '@bemi-db/proof/tile-tree';
import type { StoredRecords } from '@bemi-db/trail/tree/stored-records';
import { fullTileCount, type Offer, type OfferedTree } from './offered-tree.ts';
import { type PlacedFile, placeFile, placeFiles } from './placed-file.ts';
import { publicationError } from './publication-problem.ts';
import type { PublicationTarget } from './publication-target.ts';

/** Reads the records of the entries in [from, to) from the audit database. */
export type Records = (from: number, to: number) => Promise<StoredRecords>;

/** Full bundles in one step of catching up: 2,048 entries, some 5 ms of the thread that the pipeline has too. */
const stepBundles = 8;

/**
 * Keeps the records of a log (entry bundles of c2sp.org/tlog-tiles) in one target. They come from the audit database,
 * whose owner may have altered them: each must have the leaf hash that stands in the worker's tree. Bundles from which
 * retention has dropped entries can't be made, and are left out.
 */
export class RecordPublication {
  readonly #target: PublicationTarget;
  readonly #folder: string;
  readonly #records: Records;
  /** How many full bundles are there, or can't be. Not known before the target was looked at. */
  #full: number | undefined;
  #partial = '';
  /** The bundle that may have partial ones, which the full one will make needless. */
  #partialIndex: number | undefined;

  constructor(target: PublicationTarget, folder: string, records: Records) {
    this.#target = target;
    this.#folder = folder;
    this.#records = records;
  }

  /** Somebody has emptied the target. */
  forget(): void {
    this.#full = 0;
    this.#partial = '';
    this.#partialIndex = undefined;
  }

  /** How many full bundles are left to write; as far as it is known. */
  left(size: number): number {
    return this.#full === undefined ? 0 : fullTileCount(size, 0) - this.#full;
  }

  /**
   * Writes the full bundles that the target lacks, in steps.
   *
   * @param onStep - called after each with when it began and whether there are more; false ends it here
   * @throws ProblemError where the audit database has other records than were signed
   */
  async writeFull(
    size: number,
    tree: OfferedTree,
    onStep: (startedMs: number, hasMore: boolean) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<void> {
    const end = fullTileCount(size, 0);
    this.#full ??= await this.#countPresent(end, signal);
    while (this.#full < end) {
      const startedMs = performance.now();
      const from = this.#full;
      const to = Math.min(from + stepBundles, end);
      const tiles = await tree.full(0, from, to);
      const stored = await this.#records(from * TILE_WIDTH, to * TILE_WIDTH);
      const files: PlacedFile[] = [];
      for (const [i, tile] of tiles.entries()) {
        const bytes = bundleOf(stored, i * TILE_WIDTH, (from + i) * TILE_WIDTH, tile);
        if (bytes) files.push({ path: this.#path(from + i, TILE_WIDTH), bytes, isRetained: true });
        await setImmediate();
      }
      await placeFiles(this.#target, files, signal);
      const outgrown = this.#partialIndex;
      if (outgrown !== undefined && outgrown < to) {
        await this.#target.removeFolder?.(`${this.#path(outgrown, TILE_WIDTH)}.p`);
        this.#partialIndex = undefined;
      }
      this.#full = to;
      if (!(await onStep(startedMs, to < end))) return;
    }
  }

  /** Writes the records behind the last full bundle. */
  async writePartial({ size, partialTiles }: Offer, signal: AbortSignal): Promise<void> {
    const tile = partialTiles[0];
    if (tile === undefined || tile.length === 0) return;
    const width = tile.length / HASH_BYTES;
    const index = fullTileCount(size, 0);
    const path = this.#path(index, width);
    if (path === this.#partial) return;
    const from = size - width;
    const bytes = bundleOf(await this.#records(from, size), 0, from, tile);
    this.#partial = path;
    if (bytes === undefined) return;
    this.#partialIndex = index;
    await placeFile(this.#target, { path, bytes, isRetained: false }, signal);
  }

  /**
   * How many full bundles are there: they were written in order, so half of what is left is ruled out by each look.
   * Those of an interrupted step are written again, which changes nothing.
   */
  async #countPresent(end: number, signal: AbortSignal): Promise<number> {
    let present = 0;
    for (let absent = end; present < absent; ) {
      const middle = Math.floor((present + absent) / 2);
      if ((await this.#target.read(this.#path(middle, TILE_WIDTH), signal)) === undefined) absent = middle;
      else present = middle + 1;
    }
    this.#partialIndex = present;
    return Math.max(0, present - stepBundles);
  }

  #path(index: number, width: number): string {
    return `${this.#folder}/${formatTilePath({ level: 'entries', index, width })}`;
  }
}

/**
 * The bundle of the entries whose leaf hashes these are; `undefined` where retention has dropped some.
 *
 * @param offset - of the first one among the records
 * @throws ProblemError where the records are others
 */
function bundleOf(
  { records, droppedBefore }: StoredRecords,
  offset: number,
  sequence: number,
  leaves: Uint8Array,
): Uint8Array | undefined {
  const bundle: Uint8Array[] = [];
  let isDropped = false;
  for (let i = 0; i < leaves.length / HASH_BYTES; i++) {
    const record = records[offset + i];
    if (record === undefined && sequence + i < droppedBefore) isDropped = true;
    else if (record === undefined) throw alteredRecord(sequence + i, 'is missing');
    else if (!sameHash(leafHash(sha256Into, record), 0, leaves, i * HASH_BYTES))
      throw alteredRecord(sequence + i, 'was altered');
    else bundle.push(record);
  }
  return isDropped ? undefined : encodeEntryBundle(bundle);
}

function alteredRecord(sequence: number, what: string): Error {
  return publicationError(
    'publication-records',
    `Entry ${sequence} in the audit database ${what}: its record is not the one that was signed, and no more records are published.`,
    'Run bemi verify: it names what else is wrong. Tiles and checkpoints are published all the same.',
  );
}
