import type { PausedVerification } from '@bemi-db/trail/verify/verify-log';
import { keepProgress, type Progress } from './kept-progress.ts';

/** Of the time that a verification takes, what writing its progress down may cost at most. */
const mostOfTime = 0.01;

/**
 * Writes a verification's progress down every some seconds, and more seldom where that takes long. That it can't be
 * written is no reason not to verify.
 */
export class ProgressKeeper {
  readonly #file: string;
  readonly #begun: Omit<Progress, 'paused'>;
  readonly #from: number;
  readonly #beganAt: Date;
  readonly #intervalMs: number;
  #dueMs: number;
  /** Entries that the file says are verified. */
  keptAt: number | undefined;
  /** Why nothing can be kept. */
  problem: string | undefined;

  /**
   * @param begun - what the verification is of; its `parts` are those that were read before this run.
   * @param from - where this run begins.
   */
  constructor(file: string, begun: Omit<Progress, 'paused'>, from: number, intervalMs: number) {
    this.#file = file;
    this.#begun = begun;
    this.#from = from;
    this.#beganAt = new Date();
    this.#intervalMs = intervalMs;
    this.#dueMs = performance.now() + intervalMs;
    this.keptAt = from > 0 ? from : undefined;
  }

  readonly offer = (pause: () => PausedVerification): void => {
    const now = performance.now();
    if (now < this.#dueMs) return;
    try {
      const paused = pause();
      const part = { from: this.#from, to: paused.at, beganAt: this.#beganAt, endedAt: new Date() };
      keepProgress(this.#file, { ...this.#begun, parts: [...this.#begun.parts, part], paused });
      this.keptAt = paused.at;
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.problem = String(error.code);
    }
    const end = performance.now();
    this.#dueMs = end + Math.max(this.#intervalMs, (end - now) / mostOfTime);
  };
}
