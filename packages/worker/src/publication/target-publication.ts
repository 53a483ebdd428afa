import { setTimeout as delay } from 'node:timers/promises';
import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { HASH_BYTES, sameBytes } from '@bemi-db/proof/hash';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { NoteError } from '@bemi-db/proof/signed-note';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { treeHashAt } from '@bemi-db/proof/tile-reader';
import { TILE_WIDTH, tileLevels } from '@bemi-db/proof/tile-tree';
import type { Logger } from '../logger.ts';
import { LatestLoop } from './latest-loop.ts';
import { checkpointPath, oldCheckpointPath } from './log-folder.ts';
import { type FullTiles, fullTileCount, type Offer, OfferedTree } from './offered-tree.ts';
import { type PlacedFile, placeFile, placeFiles } from './placed-file.ts';
import { PublicationHealth, type TargetStatus } from './publication-health.ts';
import { conflictError, explainPublicationError } from './publication-problem.ts';
import { noteType, type PublicationTarget } from './publication-target.ts';
import type { RecentTiles } from './recent-tiles.ts';
import { RecordPublication, type Records } from './record-publication.ts';

/** What is to be published: an offer, with the cosignatures that came in time. */
export interface Candidate {
  readonly offer: Offer;
  /** The checkpoint with its cosignatures. */
  readonly checkpoint: string;
  /** The checkpoint to keep among the old ones: the newest with cosignatures where there are any. */
  readonly kept: { readonly size: number; readonly checkpoint: string };
}

export interface TargetPublicationOptions {
  readonly target: PublicationTarget;
  readonly origin: string;
  /** The log's folder in the target. */
  readonly folder: string;
  readonly fullTiles: FullTiles;
  readonly ownTiles: RecentTiles | undefined;
  /** Where the target holds records too. */
  readonly records: Records | undefined;
  readonly minIntervalMs: number;
  /** Between two checkpoints that are kept. */
  readonly keepIntervalMs: number;
  /** How long the target's own checkpoint is taken for what it was. */
  readonly recheckMs: number;
  /** Whether the pipeline has more to do than it can at once. */
  readonly isBusy: () => boolean;
  readonly logger: Logger;
}

/** Full tiles in one step of catching up: 256 KB. */
const stepTiles = 32;
/** When the worker ends: a tenth of a second's worth of a directory. */
const mostTilesAtEnd = 128;
/** While the pipeline is busy, tiles take one part in twenty of the time: to make a file costs 0.3 ms. */
const pauseWhenBusy = 19;

/**
 * Keeps one target up to date.
 *
 * In this order, so that a reader finds what a checkpoint names, and an old checkpoint survives whatever comes next:
 * 1. what the target holds is read, first, after each failure, and every minute: it must be a beginning of our tree;
 * 2. a checkpoint to keep, once a minute;
 * 3. full tiles that the target lacks, lower levels first, in steps;
 * 4. where it holds records, full bundles that it lacks, and the partial one;
 * 5. the partial tiles that have changed;
 * 6. the checkpoint.
 */
export class TargetPublication {
  readonly #options: TargetPublicationOptions;
  readonly #loop: LatestLoop<Candidate>;
  readonly #health: PublicationHealth;
  readonly #records: RecordPublication | undefined;
  /** The newest candidate, also while an older one is worked on. */
  #newest: Candidate | undefined;
  #isFlushing = false;
  #checkedMs: number | undefined;
  /** What stands there as checkpoint. */
  #checkpoint: string | undefined;
  /** How many full tiles of each level are there. */
  #fullTiles: number[] = [];
  /** The partial tile of each level that is there. */
  #partialTiles: string[] = [];
  /** Indexes, by level, that have partial tiles which the full one will make needless. */
  readonly #partialIndexes: Set<number>[] = [];
  #keptMs = Number.NEGATIVE_INFINITY;
  #keptSize = -1;

  constructor(options: TargetPublicationOptions) {
    this.#options = options;
    this.#health = new PublicationHealth(options.target, options.logger);
    const { target, folder, records } = options;
    this.#records = records && new RecordPublication(target, folder, records);
    this.#loop = new LatestLoop({
      work: (candidate, signal) => this.#publish(candidate, signal),
      minIntervalMs: options.minIntervalMs,
      retryMs: () => (this.#health.hasConflict ? options.recheckMs : undefined),
      onError: () => undefined,
    });
  }

  publish(candidate: Candidate): void {
    this.#newest = candidate;
    this.#loop.offer(candidate);
  }

  /**
   * Resolves when the latest candidate is published, or can't be. Its checkpoint comes first, to be kept, however many
   * tiles are still to be written: those are caught up with at the next start.
   */
  async flush(): Promise<boolean> {
    this.#isFlushing = true;
    this.#loop.hurry();
    while (!(await this.#loop.tried())) if (this.#health.hasConflict || this.#loop.isStopped) return false;
    return true;
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  status(): TargetStatus {
    return this.#health.status();
  }

  async #publish(candidate: Candidate, signal: AbortSignal): Promise<void> {
    const { offer } = candidate;
    try {
      const tree = new OfferedTree(offer, this.#options.fullTiles, this.#options.ownTiles);
      const now = performance.now();
      if (this.#checkedMs === undefined || now - this.#checkedMs >= this.#options.recheckMs) {
        await this.#check(offer, tree, signal);
        this.#checkedMs = now;
      }
      await this.#keep(candidate, signal);
      await this.#writeFullTiles(offer, tree, signal);
      const recordsProblem = await this.#writeRecords(offer, tree, signal);
      if (this.#leavesTiles(offer)) return; // what a checkpoint names must be there: the one that is kept has to do
      await this.#writePartialTiles(offer, signal);
      await this.#options.target.settle?.();
      await this.#writeCheckpoint(candidate, signal);
      if (recordsProblem !== undefined) throw recordsProblem;
      this.#health.published(offer.size);
    } catch (error) {
      // What of it has arrived isn't known.
      this.#checkedMs = undefined;
      if (!signal.aborted) this.#health.failed(error);
      throw error;
    }
  }

  async #check(offer: Offer, tree: OfferedTree, signal: AbortSignal): Promise<void> {
    const { target, folder } = this.#options;
    const bytes = await target.read(checkpointPath(folder), signal);
    if (bytes === undefined) {
      this.#checkpoint = undefined;
      this.#fullTiles = [];
      this.#partialTiles = [];
      this.#records?.forget();
      return;
    }
    const text = Buffer.from(bytes).toString('utf8');
    if (text === this.#checkpoint) return;
    const size = await this.#expectBeginning(text, 'a checkpoint', offer, tree);
    this.#checkpoint = text;
    this.#partialTiles = [];
    for (let level = 0; level < tileLevels(size); level++) {
      this.#fullTiles[level] = Math.max(this.#fullTiles[level] ?? 0, fullTileCount(size, level));
      this.#hasPartial(level, fullTileCount(size, level));
    }
  }

  #hasPartial(level: number, index: number): void {
    this.#partialIndexes[level] ??= new Set();
    this.#partialIndexes[level].add(index);
  }

  /** Never beside a checkpoint that contradicts: whoever compares the two could not tell which is ours. */
  async #expectBeginning(text: string, what: string, offer: Offer, tree: OfferedTree): Promise<number> {
    const { target, origin } = this.#options;
    let found: { readonly origin: string; readonly size: number; readonly root: Uint8Array };
    try {
      found = parseCheckpoint(text);
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      throw conflictError(target.name, `holds something else in place of ${what}`);
    }
    const { size, root } = found;
    if (found.origin !== origin)
      throw conflictError(target.name, `holds ${what} of ${found.origin}, another log`);
    if (size > offer.size)
      throw conflictError(target.name, `holds ${what} of ${size} entries, and this log has ${offer.size}`);
    if (!sameBytes(await treeHashAt(sha256Into, size, tree.read), root))
      throw conflictError(target.name, `holds ${what} of ${size} entries that are not the first of this log`);
    return size;
  }

  async #keep({ kept: cosigned, offer }: Candidate, signal: AbortSignal): Promise<void> {
    const { target, folder, keepIntervalMs } = this.#options;
    const now = performance.now();
    // A witness that is gone holds nothing up.
    const kept = cosigned.size > this.#keptSize ? cosigned : offer;
    const isDue = this.#isFlushing || now - this.#keptMs >= keepIntervalMs;
    if (kept.size <= this.#keptSize || !isDue) return;
    const path = oldCheckpointPath(folder, kept.size);
    const options = { contentType: noteType, isImmutable: true, isRetained: true, signal };
    if ((await target.write(path, Buffer.from(kept.checkpoint), options)) === 'present') {
      // From a try whose answer was lost, perhaps with other cosignatures: it need only be of the same tree.
      const tree = new OfferedTree(offer, this.#options.fullTiles, this.#options.ownTiles);
      const bytes = (await target.read(path, signal)) ?? new Uint8Array();
      await this.#expectBeginning(Buffer.from(bytes).toString('utf8'), 'an old checkpoint', offer, tree);
    }
    this.#keptMs = now;
    this.#keptSize = kept.size;
    this.#health.kept(kept.size);
  }

  async #writeFullTiles({ size }: Offer, tree: OfferedTree, signal: AbortSignal): Promise<void> {
    for (let level = 0; level < tileLevels(size); level++) {
      const end = fullTileCount(size, level);
      for (let from = this.#fullTiles[level] ?? 0; from < end; ) {
        const startedMs = performance.now();
        const to = Math.min(from + stepTiles, end);
        const tiles = await tree.full(level, from, to);
        await this.#placeFullTiles(level, from, tiles, signal);
        this.#fullTiles[level] = to;
        from = to;
        if (!(await this.#afterStep(startedMs, from < end, signal))) return;
      }
    }
  }

  async #placeFullTiles(
    level: number,
    from: number,
    tiles: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<void> {
    const { target, folder } = this.#options;
    const files = tiles.map((bytes, i): PlacedFile => {
      const path = `${folder}/${formatTilePath({ level, index: from + i, width: TILE_WIDTH })}`;
      return { path, bytes, isRetained: true };
    });
    await placeFiles(target, files, signal);
    // tlog-tiles: a partial tile may go when the full one is there.
    for (const [i, { path }] of files.entries())
      if (this.#partialIndexes[level]?.delete(from + i)) await target.removeFolder?.(`${path}.p`);
  }

  /** @returns whether to go on. */
  async #afterStep(startedMs: number, hasMore: boolean, signal: AbortSignal): Promise<boolean> {
    // While hours are caught up with, checkpoints get out of reach all the same.
    if (this.#newest) await this.#keep(this.#newest, signal);
    if (this.#newest && this.#leavesTiles(this.#newest.offer)) return false;
    if (hasMore && !this.#isFlushing && this.#options.isBusy())
      await delay(pauseWhenBusy * (performance.now() - startedMs), undefined, { signal, ref: false });
    return true;
  }

  /** @returns that the audit database has other records: tiles and checkpoints are published all the same. */
  async #writeRecords(offer: Offer, tree: OfferedTree, signal: AbortSignal): Promise<unknown> {
    const afterStep = (startedMs: number, hasMore: boolean) => this.#afterStep(startedMs, hasMore, signal);
    try {
      await this.#records?.writeFull(offer.size, tree, afterStep, signal);
      if (!this.#leavesTiles(offer)) await this.#records?.writePartial(offer, signal);
      return undefined;
    } catch (error) {
      const { code } = explainPublicationError(error, this.#options.target.name);
      if (code === 'publication-records') return error;
      throw error;
    }
  }

  /** Whether the worker ends, and more is left to write than is worth waiting for: the next start catches up. */
  #leavesTiles({ size }: Offer): boolean {
    if (!this.#isFlushing) return false;
    let left = this.#records?.left(size) ?? 0;
    for (let level = 0; level < tileLevels(size); level++)
      left += fullTileCount(size, level) - (this.#fullTiles[level] ?? 0);
    return left > mostTilesAtEnd;
  }

  async #writePartialTiles({ size, partialTiles }: Offer, signal: AbortSignal): Promise<void> {
    for (let level = 0; level < tileLevels(size); level++) {
      const tile = partialTiles[level];
      if (tile === undefined || tile.length === 0) continue;
      const index = fullTileCount(size, level);
      const path = formatTilePath({ level, index, width: tile.length / HASH_BYTES });
      if (this.#partialTiles[level] === path) continue;
      const { target, folder } = this.#options;
      await placeFile(target, { path: `${folder}/${path}`, bytes: tile, isRetained: false }, signal);
      this.#partialTiles[level] = path;
      this.#hasPartial(level, index);
    }
  }

  async #writeCheckpoint({ checkpoint }: Candidate, signal: AbortSignal): Promise<void> {
    if (checkpoint === this.#checkpoint) return;
    const { target, folder } = this.#options;
    const options = { contentType: noteType, isImmutable: false, isRetained: false, signal };
    await target.write(checkpointPath(folder), Buffer.from(checkpoint), options);
    this.#checkpoint = checkpoint;
  }
}
