import type pg from 'pg';
import type { ReadingTransaction } from './reading-transaction.ts';
import { recordWindow } from './record-window.ts';
import { scanWindow, type WindowQuery } from './scan-window.ts';
import type { SearchPlan } from './search-ranges.ts';
import { beginningOf, isEmptyRange, restOf, type SequenceRange } from './sequence-range.ts';

/** What a window should take. */
const windowMs = 50;
const firstScan = 4_096n;
const leastScan = 256n;
const mostScan = 1_048_576n;
const recordChanges = 500;

/**
 * Looks at a log part by part, in the order of the search. A part is as large as can be looked at in some 50 ms, as far as the
 * parts before it tell; so no statement runs for long, and a search may end between any two.
 */
export class SearchWindows {
  readonly #client: pg.ClientBase;
  readonly #transaction: ReadingTransaction;
  readonly #query: WindowQuery;
  readonly #recordRelations: readonly string[] | undefined;
  readonly #ranges: SequenceRange[];
  #scan = firstScan;
  #count = 0;
  #lookedAt = 0n;

  constructor(
    client: pg.ClientBase,
    transaction: ReadingTransaction,
    plan: SearchPlan,
    query: Omit<WindowQuery, 'relations'>,
  ) {
    this.#client = client;
    this.#transaction = transaction;
    this.#query = { ...query, relations: plan.relations };
    this.#recordRelations = plan.recordRelations;
    this.#ranges = [...plan.ranges];
  }

  get isAtEnd(): boolean {
    return this.#ranges.length === 0;
  }

  /** Windows that were looked at. */
  get count(): number {
    return this.#count;
  }

  /** The last sequence that was looked at: all that come before it in the order of the search were too. */
  get lookedAt(): bigint {
    return this.#lookedAt;
  }

  /** The matching changes of the next window, in order, at most `limit`: then the window is not looked through. */
  async next(limit: number): Promise<readonly bigint[]> {
    const range = this.#ranges[0]!;
    const found = await (this.#recordRelations === undefined
      ? this.#scanNext(range, limit)
      : this.#recordNext(this.#recordRelations, range));
    this.#count++;
    return found.slice(0, limit);
  }

  async #scanNext(range: SequenceRange, limit: number): Promise<readonly bigint[]> {
    for (;;) {
      const window = beginningOf(range, this.#scan, this.#query.order);
      const startedAt = performance.now();
      const found = await this.#transaction.attempt(() =>
        scanWindow(this.#client, this.#query, window, limit),
      );
      if (found === undefined) {
        await this.#shrink();
        continue;
      }
      this.#resize(performance.now() - startedAt);
      this.#leave(range, window);
      return found;
    }
  }

  async #recordNext(relations: readonly string[], range: SequenceRange): Promise<readonly bigint[]> {
    const { order } = this.#query;
    await this.#transaction.setTimeout(0);
    const { found, lookedAt } = await recordWindow(
      this.#client,
      { ...this.#query, relations },
      range,
      recordChanges,
    );
    const window =
      lookedAt === undefined
        ? range
        : order === 'newest-first'
          ? { low: lookedAt, high: range.high }
          : { low: range.low, high: lookedAt + 1n };
    this.#leave(range, window);
    return found;
  }

  /** A window that took too long is tried again, smaller; the least one may take as long as it needs. */
  async #shrink(): Promise<void> {
    if (this.#scan > leastScan) this.#scan = max(leastScan, this.#scan / 8n);
    else await this.#transaction.setTimeout(0);
  }

  #resize(tookMs: number): void {
    const factor = Math.min(8, Math.max(1 / 8, windowMs / Math.max(tookMs, 1)));
    this.#scan = max(leastScan, min(mostScan, BigInt(Math.round(Number(this.#scan) * factor))));
  }

  #leave(range: SequenceRange, window: SequenceRange): void {
    const { order } = this.#query;
    this.#lookedAt = order === 'newest-first' ? window.low : window.high - 1n;
    const rest = restOf(range, window, order);
    if (isEmptyRange(rest)) this.#ranges.shift();
    else this.#ranges[0] = rest;
  }
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function min(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}
