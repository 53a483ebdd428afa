import type { SourceReading } from './readings.ts';

interface Timed {
  readonly atMs: number;
}

/** The readings of some time, for what only several together tell. */
export class History<R extends Timed> {
  readonly #readings: R[] = [];
  readonly #keptMs: number;

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  add(reading: R): void {
    this.#readings.push(reading);
    const oldestMs = reading.atMs - this.#keptMs;
    while (this.#readings.length > 2 && this.#readings[1]!.atMs <= oldestMs) this.#readings.shift();
  }

  get last(): R | undefined {
    return this.#readings.at(-1);
  }

  /** By how much a value has grown from the oldest reading that knows it, and in how many seconds. */
  growth(
    value: (reading: R) => number | undefined,
  ): { readonly by: number; readonly seconds: number } | undefined {
    const known = this.#readings.filter((reading) => value(reading) !== undefined);
    const [first, last] = [known[0], known.at(-1)];
    if (!first || !last || last.atMs === first.atMs) return undefined;
    return { by: value(last)! - value(first)!, seconds: (last.atMs - first.atMs) / 1000 };
  }
}

const positionsKept = 512;

/**
 * For how long the oldest WAL that the slot has not confirmed has been there: since the server's position was first
 * seen beyond the slot's. Neither server's clock is asked. What was there before the first reading counts from then on.
 */
export class LagClock {
  #positions: { readonly walLsn: bigint; readonly atMs: number }[] = [];
  /** Between two of them: a lag of days need not be known to the second. */
  #stepMs = 0;

  /** @returns seconds; 0 with nothing left, `undefined` where the positions are not to be seen. */
  add({ atMs, walLsn, slot }: SourceReading): number | undefined {
    const confirmedLsn = slot?.confirmedLsn;
    if (walLsn === undefined || confirmedLsn === undefined) return undefined;
    this.#positions = this.#positions.filter((position) => position.walLsn > confirmedLsn);
    if (this.#positions.length === 0) this.#stepMs = 0;
    if (walLsn <= confirmedLsn) return 0;
    const last = this.#positions.at(-1);
    if (!last || (walLsn > last.walLsn && atMs - last.atMs >= this.#stepMs)) {
      this.#positions.push({ walLsn, atMs });
    }
    if (this.#positions.length > positionsKept) {
      this.#stepMs = (2 * (atMs - this.#positions[0]!.atMs)) / positionsKept;
      this.#positions = this.#positions.filter((_, i) => i % 2 === 0);
    }
    return (atMs - this.#positions[0]!.atMs) / 1000;
  }
}

/** Until the server may take the slot's WAL away, at the pace at which it grows. `undefined` without a limit or growth. */
export function secondsUntilLimit(
  safeBytes: number | undefined,
  growthPerSecond: number | undefined,
): number | undefined {
  if (safeBytes === undefined || growthPerSecond === undefined || growthPerSecond <= 0) return undefined;
  return Math.max(safeBytes, 0) / growthPerSecond;
}
