import type pg from 'pg';
import { nearestBlock } from './change-blocks.ts';
import type { IndexTerms } from './index-terms.ts';
import { indexRangeBits, indexWindow } from './index-window.ts';
import type { ReadingTransaction } from './reading-transaction.ts';
import { recordWindow } from './record-window.ts';
import { scanWindow, type WindowQuery } from './scan-window.ts';
import type { SearchPlan } from './search-plan.ts';
import { beginningOf, isEmptyRange, overlapOf, restOf, type SequenceRange } from './sequence-range.ts';
import { WindowSize } from './window-size.ts';

/** What is looked at before the index is asked: what is common is found there, in less time. */
const scannedFirst = 512;
/** Rows of the index that are looked at instead of a record's changes. */
const fewRows = 256;

/**
 * Looks at a log part by part, in the order of the search. A part is as large as can be looked at in some 50 ms, as far as the
 * parts before it tell; so no statement runs for long, and a search may end between any two.
 */
export class SearchWindows {
  readonly #client: pg.ClientBase;
  readonly #transaction: ReadingTransaction;
  readonly #plan: SearchPlan;
  readonly #query: WindowQuery;
  readonly #ranges: SequenceRange[];
  /** Sequences of a scan; */
  readonly #scan = new WindowSize({ first: scannedFirst, least: 256, most: 1_048_576 });
  /** ranges of the index, and how many of its rows. */
  readonly #indexRanges = new WindowSize({ first: 64, least: 1, most: 4_096 });
  readonly #indexRows = new WindowSize({ first: 64, least: 64, most: 16_384 });
  readonly #recordChanges: WindowSize;
  #scanned = 0n;
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
    this.#plan = plan;
    this.#query = { ...query, relations: plan.relations };
    this.#ranges = [...plan.ranges];
    // Few before the index is asked.
    this.#recordChanges = new WindowSize({ first: plan.terms ? 200 : 500, least: 50, most: 50_000 });
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
    this.#count++;
    await this.#passOver();
    const range = this.#ranges[0];
    if (range === undefined) return [];
    const { recordRelations, terms, indexedTo } = this.#plan;
    const isIndexed = this.#query.order === 'newest-first' ? range.high <= indexedTo : range.low < indexedTo;
    if (recordRelations !== undefined) {
      const rest = overlapOf(range, { low: 0n, high: indexedTo });
      const few =
        terms && isIndexed && this.#count === 2 ? await this.#lookUpFew(terms, rest, limit) : undefined;
      return few ?? (await this.#lookAtRecord(recordRelations, range, limit)).slice(0, limit);
    }
    if (terms && isIndexed && this.#scanned >= scannedFirst)
      return await this.#lookUp(terms, overlapOf(range, { low: 0n, high: indexedTo }), limit);
    // What is indexed and what is not are never in one window.
    const side = isIndexed ? { low: 0n, high: indexedTo } : { low: indexedTo, high: range.high };
    // As far as the index is asked afterwards.
    const most = terms && isIndexed ? BigInt(scannedFirst) - this.#scanned : undefined;
    return await this.#lookThrough(overlapOf(range, side), limit, most);
  }

  /** Passes over blocks with no change of the times that are asked for. */
  async #passOver(): Promise<void> {
    const { filter, order } = this.#query;
    if (!filter.since && !filter.until) return;
    const { indexedTo } = this.#plan;
    for (let range = this.#ranges[0]; range !== undefined; range = this.#ranges[0]) {
      const known = overlapOf(range, { low: 0n, high: indexedTo });
      if (isEmptyRange(known) || (order === 'newest-first' && range.high > indexedTo)) return;
      const near = await this.#nearestBlock(known);
      const unknown = overlapOf(range, { low: indexedTo, high: range.high });
      const rest = near
        ? order === 'newest-first'
          ? { low: range.low, high: near.high }
          : { low: near.low, high: range.high }
        : order === 'newest-first'
          ? { low: range.low, high: range.low }
          : unknown;
      if (rest.low !== range.low || rest.high !== range.high)
        this.#lookedAt = order === 'newest-first' ? rest.high : rest.low - 1n;
      if (!isEmptyRange(rest)) {
        this.#ranges[0] = rest;
        return;
      }
      this.#ranges.shift();
    }
  }

  async #nearestBlock(range: SequenceRange): Promise<SequenceRange | undefined> {
    const { log, filter, order } = this.#query;
    const look = async () => ({ near: await nearestBlock(this.#client, log, filter, range, order) });
    const looked = await this.#transaction.attempt(look);
    if (looked) return looked.near;
    // As little as can be looked at.
    await this.#transaction.setTimeout(0);
    return (await look()).near;
  }

  async #lookThrough(
    range: SequenceRange,
    limit: number,
    most = range.high - range.low,
  ): Promise<readonly bigint[]> {
    for (;;) {
      const size = BigInt(this.#scan.size);
      const window = beginningOf(range, size < most ? size : most, this.#query.order);
      const startedAt = performance.now();
      const found = await this.#transaction.attempt(() =>
        scanWindow(this.#client, this.#query, window, limit),
      );
      if (found === undefined) {
        if (!this.#scan.shrink()) await this.#transaction.setTimeout(0);
        continue;
      }
      this.#scan.took(performance.now() - startedAt);
      this.#scanned += window.high - window.low;
      this.#leave(window);
      return found;
    }
  }

  async #lookUp(terms: IndexTerms, range: SequenceRange, limit: number): Promise<readonly bigint[]> {
    for (;;) {
      // Ends where a range of the index ends, so that none is read twice.
      const window = wholeRanges(range, this.#indexRanges.size, this.#query.order === 'newest-first');
      const rows = this.#indexRows.size;
      const startedAt = performance.now();
      const result = await this.#transaction.attempt(() =>
        indexWindow(this.#client, { ...this.#query, terms }, window, rows, limit),
      );
      if (result === undefined) {
        const mayShrink = [this.#indexRanges.shrink(), this.#indexRows.shrink()];
        if (!mayShrink.includes(true)) await this.#transaction.setTimeout(0);
        continue;
      }
      const tookMs = performance.now() - startedAt;
      const isWhole = result.through.low === window.low && result.through.high === window.high;
      if (isWhole) this.#indexRanges.took(tookMs);
      else this.#indexRows.took(tookMs);
      this.#leave(result.through);
      return result.found;
    }
  }

  /**
   * What a record that changes all the time has to do with somebody who did little: sooner found by the index. `undefined` where
   * that has much, too.
   */
  async #lookUpFew(
    terms: IndexTerms,
    range: SequenceRange,
    limit: number,
  ): Promise<readonly bigint[] | undefined> {
    const result = await this.#transaction.attempt(() =>
      indexWindow(this.#client, { ...this.#query, terms }, range, fewRows, limit),
    );
    if (result?.through.low !== range.low || result.through.high !== range.high) return undefined;
    this.#leave(range);
    return result.found;
  }

  async #lookAtRecord(
    relations: readonly string[],
    range: SequenceRange,
    limit: number,
  ): Promise<readonly bigint[]> {
    const { terms, indexedTo } = this.#plan;
    const query = { ...this.#query, relations, terms, indexedTo };
    const startedAt = performance.now();
    const window = await this.#transaction.attempt(() =>
      recordWindow(this.#client, query, range, this.#recordChanges.size, limit),
    );
    if (window === undefined) {
      if (!this.#recordChanges.shrink()) await this.#transaction.setTimeout(0);
      return await this.#lookAtRecord(relations, range, limit);
    }
    this.#recordChanges.took(performance.now() - startedAt);
    const { found, lookedAt } = window;
    this.#leave(
      lookedAt === undefined
        ? range
        : this.#query.order === 'newest-first'
          ? { low: lookedAt, high: range.high }
          : { low: range.low, high: lookedAt + 1n },
    );
    return found;
  }

  #leave(window: SequenceRange): void {
    const { order } = this.#query;
    this.#lookedAt = order === 'newest-first' ? window.low : window.high - 1n;
    const rest = restOf(this.#ranges[0]!, window, order);
    if (isEmptyRange(rest)) this.#ranges.shift();
    else this.#ranges[0] = rest;
  }
}

/** The part of a range that lies in the first so many ranges of the index. */
function wholeRanges({ low, high }: SequenceRange, count: number, isNewestFirst: boolean): SequenceRange {
  const parts = BigInt(count);
  const from = (((high - 1n) >> indexRangeBits) + 1n - parts) << indexRangeBits;
  const to = ((low >> indexRangeBits) + parts) << indexRangeBits;
  return overlapOf({ low, high }, isNewestFirst ? { low: from, high } : { low, high: to });
}
