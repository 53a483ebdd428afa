/** In the order of commit. */
export type Order = 'newest-first' | 'oldest-first';

/** Sequences from `low` on, below `high`. Empty where `high` is not above `low`. */
export interface SequenceRange {
  readonly low: bigint;
  readonly high: bigint;
}

export function isEmptyRange({ low, high }: SequenceRange): boolean {
  return high <= low;
}

/** The part of a range that comes first in this order, of at most so many sequences. */
export function beginningOf(range: SequenceRange, length: bigint, order: Order): SequenceRange {
  const { low, high } = range;
  if (high - low <= length) return range;
  return order === 'newest-first' ? { low: high - length, high } : { low, high: low + length };
}

/** What of a range comes after this part of it. */
export function restOf({ low, high }: SequenceRange, part: SequenceRange, order: Order): SequenceRange {
  return order === 'newest-first' ? { low, high: part.low } : { low: part.high, high };
}

export function overlapOf(one: SequenceRange, other: SequenceRange): SequenceRange {
  return {
    low: one.low > other.low ? one.low : other.low,
    high: one.high < other.high ? one.high : other.high,
  };
}
