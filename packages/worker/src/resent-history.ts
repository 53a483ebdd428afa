import { formatLsn, type Lsn } from '@bemi-db/replication/lsn';
import { RefusalError } from './refusal.ts';

export interface ResentHistoryOptions {
  /** final_lsn of the last recorded transaction. */
  readonly lastFinalLsn: Lsn;
  /** All that was committed before this position was sent once: it is recorded, or there was nothing in it to record. */
  readonly confirmedLsn: Lsn;
}

/**
 * Whether what the source sends again is what it sent before. The stitcher compares each transaction that the log holds;
 * this finds what is missing among them, and what has come in between. A source that was restored from an older copy, with
 * its slot, and has written on past the log's end, looks the same in everything else: identifier, timeline and positions.
 */
export class ResentHistory {
  readonly #options: ResentHistoryOptions;
  /** Recorded transactions that have to come again before anything new does. */
  #expected = 0;
  #seen = 0;

  constructor(options: ResentHistoryOptions) {
    this.#options = options;
  }

  /** How many recorded transactions lie between the position that the slot sends from, and the end of the log. */
  expect(count: number): void {
    this.#expected = count;
  }

  /** A transaction has come that is the same as the one that the log holds. */
  saw(): void {
    this.#seen++;
  }

  /**
   * A transaction with changes has come that the log does not hold.
   *
   * @throws RefusalError where it is older than it may be. A keepalive's position may be where a commit begins, so only
   * what begins before it is.
   */
  isNew(finalLsn: Lsn): void {
    const { confirmedLsn } = this.#options;
    if (finalLsn >= confirmedLsn) return;
    throw historyChanged(
      `The source sends a transaction at ${formatLsn(finalLsn)} that was not there before, when all up to ` +
        `${formatLsn(confirmedLsn)} was read`,
    );
  }

  /**
   * All that was committed before this position has come.
   *
   * @throws RefusalError where the log holds more.
   */
  reached(lsn: Lsn): void {
    if (this.#seen >= this.#expected || lsn <= this.#options.lastFinalLsn) return;
    throw historyChanged(
      `The source no longer has ${this.#expected - this.#seen} of the transactions that the log holds up to ` +
        formatLsn(this.#options.lastFinalLsn),
    );
  }
}

export function historyChanged(what: string): RefusalError {
  return new RefusalError(
    'history-changed',
    `${what}: it was restored from an older copy, or is another server.`,
    'Connect the worker to the server that was recorded so far. If that one is gone: bemi gap accept --reason "…"',
  );
}
