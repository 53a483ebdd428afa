import { consistencyProof } from '@bemi-db/proof/consistency-proof';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import type { Logger } from '../logger.ts';
import { LatestLoop } from './latest-loop.ts';
import { type FullTiles, type Offer, OfferedTree } from './offered-tree.ts';
import { PublicationHealth, type TargetStatus } from './publication-health.ts';
import { conflictError, publicationError } from './publication-problem.ts';
import type { RecentTiles } from './recent-tiles.ts';
import type { Witness } from './witness.ts';

export interface WitnessPublicationOptions {
  readonly witness: Witness;
  readonly fullTiles: FullTiles;
  readonly ownTiles?: RecentTiles | undefined;
  readonly minIntervalMs: number;
  readonly recheckMs: number;
  /** Verified signature lines for the checkpoint of an offer. */
  readonly onCosigned: (offer: Offer, lines: string) => void;
  readonly logger: Logger;
}

/** Answers that name a size, one after another: another worker may be asking too. */
const mostTries = 3;

/** Has one witness cosign the latest checkpoint. */
export class WitnessPublication {
  readonly #options: WitnessPublicationOptions;
  readonly #loop: LatestLoop<Offer>;
  readonly #health: PublicationHealth;
  /** The size that the witness knows; 0 asks for it. */
  #knownSize = 0;

  constructor(options: WitnessPublicationOptions) {
    this.#options = options;
    this.#health = new PublicationHealth(options.witness, options.logger);
    this.#loop = new LatestLoop({
      work: (offer, signal) => this.#cosign(offer, signal),
      minIntervalMs: options.minIntervalMs,
      retryMs: () => (this.#health.hasConflict ? options.recheckMs : undefined),
      onError: () => undefined,
    });
  }

  /** Asks for a cosignature. Resolves when the witness has answered, or at once where it isn't worth waiting for. */
  async ask(offer: Offer): Promise<void> {
    const isWorthWaiting = !this.#loop.isFailing && this.#loop.isReady;
    this.#loop.offer(offer);
    if (isWorthWaiting) await this.#loop.tried();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  status(): TargetStatus {
    return this.#health.status();
  }

  async #cosign(offer: Offer, signal: AbortSignal): Promise<void> {
    try {
      const lines = await this.#add(offer, signal);
      this.#health.published(offer.size);
      this.#options.onCosigned(offer, lines);
    } catch (error) {
      this.#knownSize = 0; // it may have taken what it did not answer
      if (!signal.aborted) this.#health.failed(error);
      throw error;
    }
  }

  async #add(offer: Offer, signal: AbortSignal): Promise<string> {
    const { witness, fullTiles } = this.#options;
    const tree = new OfferedTree(offer, fullTiles);
    for (let tries = 0; tries < mostTries; tries++) {
      if (this.#knownSize > offer.size)
        throw conflictError(
          witness.name,
          `has seen ${this.#knownSize} entries, and this log has ${offer.size}`,
        );
      const proof = await consistencyProof(sha256Into, this.#knownSize, offer.size, tree.read);
      const answer = await witness.addCheckpoint(this.#knownSize, proof, offer.checkpoint, signal);
      if (answer.kind === 'cosigned') {
        this.#knownSize = offer.size;
        return answer.lines;
      }
      this.#knownSize = answer.size;
    }
    throw publicationError(
      'publication-refused',
      `${witness.name} names another size each time.`,
      'See that no other worker sends it checkpoints of this log.',
    );
  }
}
