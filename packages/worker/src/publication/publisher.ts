import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { type Logger, silentLogger } from '../logger.ts';
import { LatestLoop } from './latest-loop.ts';
import { logFolder } from './log-folder.ts';
import type { FullTiles, Offer } from './offered-tree.ts';
import type { TargetStatus } from './publication-health.ts';
import type { PublicationTarget } from './publication-target.ts';
import type { RecentTiles } from './recent-tiles.ts';
import type { Records } from './record-publication.ts';
import { type Candidate, TargetPublication } from './target-publication.ts';
import type { Witness } from './witness.ts';
import { WitnessPublication } from './witness-publication.ts';

export interface PublisherOptions {
  readonly targets: readonly (PublicationTarget | Witness)[];
  /** Of the log's checkpoints, with its generation. A new generation needs a new publisher. */
  readonly origin: string;
  readonly fullTiles: FullTiles;
  /** Tiles that need not be read from the audit database, nor compared with the tree. */
  readonly ownTiles?: RecentTiles;
  /** For targets that hold records too: without it, none does. */
  readonly records?: Records;
  readonly logger?: Logger;
  /** Whether the pipeline has more to do than it can at once: catching up then takes less of the machine. */
  readonly isBusy?: () => boolean;
  /** Between two checkpoints in a target, where its URL names no longer one. Default 1 s. */
  readonly minIntervalMs?: number;
  /** Between two checkpoints that stay in a target. Default 1 min. */
  readonly keepIntervalMs?: number;
  /** How long a publication waits for cosignatures at most. Default 1 s. */
  readonly patienceMs?: number;
  /** How often what a target holds is compared. Default 1 min. */
  readonly recheckMs?: number;
}

export interface PublisherStatus {
  /** Those that hold files, then the witnesses. */
  readonly targets: readonly TargetStatus[];
  readonly witnesses: number;
  /** Witnesses whose cosignature the last checkpoint has. */
  readonly cosignatures: number;
}

/**
 * Puts checkpoints and tiles where whoever controls the audit database can't reach them, beside the pipeline: it waits
 * for nothing here, and nothing here makes it fail.
 *
 * An offer is taken when the one before was a second ago. The witnesses that answered last time are asked, for a second
 * at most; then each target is handed the checkpoint and goes its own way. A cosignature that comes later is added to
 * the checkpoint while it is still the newest, else it is kept with the checkpoints that stay.
 */
export class Publisher {
  readonly #origin: string;
  readonly #patienceMs: number;
  readonly #targets: readonly TargetPublication[];
  readonly #witnesses: readonly WitnessPublication[];
  readonly #loop: LatestLoop<Offer>;
  #candidate: Candidate | undefined;
  #isAnnounced = false;
  /** Signature lines for the candidate, by witness. */
  #lines = new Map<number, string>();
  #kept: Candidate['kept'] | undefined;

  constructor(options: PublisherOptions) {
    const { origin, fullTiles, logger = silentLogger, minIntervalMs = 1_000, recheckMs = 60_000 } = options;
    const folder = logFolder(origin);
    this.#origin = origin;
    this.#patienceMs = options.patienceMs ?? 1_000;
    const isBusy = options.isBusy ?? (() => false);
    const { ownTiles } = options;
    const shared = { origin, folder, fullTiles, ownTiles, recheckMs, isBusy, logger };
    const paceMs = (own: number | undefined) => Math.max(minIntervalMs, own ?? 0);
    this.#targets = options.targets
      .filter((target) => target.kind === 'files')
      .map(
        (target) =>
          new TargetPublication({
            ...shared,
            target,
            records: target.hasRecords ? options.records : undefined,
            minIntervalMs: paceMs(target.minIntervalMs),
            keepIntervalMs: options.keepIntervalMs ?? 60_000,
          }),
      );
    this.#witnesses = options.targets
      .filter((target) => target.kind === 'witness')
      .map(
        (witness, i) =>
          new WitnessPublication({
            ...shared,
            witness,
            minIntervalMs: paceMs(witness.minIntervalMs),
            onCosigned: (offer, lines) => this.#cosigned(i, offer, lines),
          }),
      );
    this.#loop = new LatestLoop({
      work: (offer) => this.#prepare(offer),
      minIntervalMs,
      onError: (error) => logger.error({ error: String(error) }, 'A checkpoint could not be prepared'),
    });
  }

  /** Takes note of a committed state of the log. Costs nothing, waits for nothing and never throws. */
  offer(offer: Offer): void {
    this.#loop.offer(offer);
  }

  /**
   * Publishes what was offered last, without keeping the pace.
   *
   * @returns whether all targets have it; false also when the time is over
   */
  async flush(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const work = async () => {
      this.#loop.hurry();
      if (!(await this.#loop.tried())) return false;
      return (await Promise.all(this.#targets.map((target) => target.flush()))).every((isDone) => isDone);
    };
    try {
      return await Promise.race([work(), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends requests that are under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#loop, ...this.#targets, ...this.#witnesses].map((part) => part.stop()));
  }

  status(): PublisherStatus {
    return {
      targets: [...this.#targets, ...this.#witnesses].map((part) => part.status()),
      witnesses: this.#witnesses.length,
      cosignatures: this.#lines.size,
    };
  }

  async #prepare(offer: Offer): Promise<void> {
    const { origin, size } = parseCheckpoint(offer.checkpoint);
    if (origin !== this.#origin || size !== offer.size)
      throw new TypeError(`Offered ${origin} of ${size} as ${this.#origin} of ${offer.size}`);
    this.#lines = new Map();
    this.#isAnnounced = false;
    this.#candidate = { offer, checkpoint: offer.checkpoint, kept: offer };
    if (this.#witnesses.length > 0) {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => {
        timer = setTimeout(resolve, this.#patienceMs);
      });
      await Promise.race([Promise.all(this.#witnesses.map((witness) => witness.ask(offer))), patience]);
      clearTimeout(timer);
    }
    this.#announce(offer);
  }

  #cosigned(witness: number, offer: Offer, lines: string): void {
    if (this.#candidate?.offer === offer) {
      this.#lines.set(witness, lines);
      const checkpoint = offer.checkpoint + [...this.#lines.values()].join('');
      this.#kept = { size: offer.size, checkpoint };
      if (this.#isAnnounced) this.#announce(offer);
    } else if (this.#kept === undefined || this.#kept.size < offer.size) {
      this.#kept = { size: offer.size, checkpoint: offer.checkpoint + lines };
    }
  }

  #announce(offer: Offer): void {
    const checkpoint = offer.checkpoint + [...this.#lines.values()].join('');
    this.#candidate = { offer, checkpoint, kept: this.#kept ?? { size: offer.size, checkpoint } };
    this.#isAnnounced = true;
    for (const target of this.#targets) target.publish(this.#candidate);
  }
}
