import { retryDelayMs } from '../retry-delay.ts';

export interface LatestLoopOptions<T> {
  readonly work: (item: T, signal: AbortSignal) => Promise<void>;
  /** Between two starts. */
  readonly minIntervalMs: number;
  /** What to wait after an error, where it isn't the usual backoff. */
  readonly retryMs?: (error: unknown) => number | undefined;
  readonly onError: (error: unknown) => void;
}

const hurriedRetryMs = 250;
const soonMs = 200;

/**
 * Does some work with the latest of the items that it is offered: one at a time, at a pace, and again with backoff while
 * it fails. Items between are dropped, so that neither a slow nor a dead other side makes anything pile up.
 *
 * States: idle (the latest is done), waiting (a timer runs: the pace, or the backoff), working. An offer only
 * remembers the item and, from idle, starts the timer. It neither does work nor throws.
 */
export class LatestLoop<T> {
  readonly #options: LatestLoopOptions<T>;
  readonly #abort = new AbortController();
  #item: { readonly value: T; readonly version: number } | undefined;
  #version = 0;
  #doneVersion = 0;
  #failures = 0;
  #notBeforeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #isHurried = false;
  #waiters: { readonly version: number; readonly resolve: (isDone: boolean) => void }[] = [];

  constructor(options: LatestLoopOptions<T>) {
    this.#options = options;
  }

  /** Whether the last try failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  get isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Whether what is offered now is worked on at once, or nearly. */
  get isReady(): boolean {
    return (
      this.#doneVersion === this.#version &&
      this.#working === undefined &&
      this.#notBeforeMs - performance.now() < soonMs
    );
  }

  offer(value: T): void {
    this.#item = { value, version: ++this.#version };
    this.#schedule();
  }

  /** Resolves when a try with the latest item, or a later one, has ended; true where the work is done. */
  tried(): Promise<boolean> {
    if (this.#doneVersion === this.#version) return Promise.resolve(true);
    if (this.#abort.signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => this.#waiters.push({ version: this.#version, resolve }));
  }

  /** From here on without pace, and with little backoff. */
  hurry(): void {
    this.#isHurried = true;
    this.#notBeforeMs = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    this.#settle(Number.POSITIVE_INFINITY, false);
    await this.#working;
  }

  #schedule(): void {
    if (this.#working || this.#timer || this.#abort.signal.aborted) return;
    if (this.#doneVersion === this.#version) return;
    const waitMs = Math.max(0, this.#notBeforeMs - performance.now());
    // Unreferenced: publishing keeps no process alive; who ends the worker flushes.
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#working = this.#work()
        .catch(() => undefined) // a logger that throws
        .then(() => {
          this.#working = undefined;
          this.#schedule();
        });
    }, waitMs).unref();
  }

  async #work(): Promise<void> {
    const { work, minIntervalMs, retryMs, onError } = this.#options;
    const item = this.#item;
    if (!item) return;
    const startedMs = performance.now();
    try {
      await work(item.value, this.#abort.signal);
      this.#failures = 0;
      this.#doneVersion = item.version;
      this.#notBeforeMs = this.#isHurried ? 0 : startedMs + minIntervalMs;
      this.#settle(item.version, true);
    } catch (error) {
      this.#failures++;
      const waitMs = retryMs?.(error) ?? retryDelayMs(this.#failures, Math.random());
      this.#notBeforeMs =
        performance.now() + (this.#isHurried ? hurriedRetryMs : Math.max(waitMs, minIntervalMs));
      if (!this.#abort.signal.aborted) onError(error);
      this.#settle(item.version, false);
    }
  }

  #settle(version: number, isDone: boolean): void {
    const settled = this.#waiters.filter((waiter) => waiter.version <= version);
    this.#waiters = this.#waiters.filter((waiter) => waiter.version > version);
    for (const waiter of settled) waiter.resolve(isDone);
  }
}
