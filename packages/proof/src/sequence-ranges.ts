/** Sequences as ranges [first, last], in the order in which they were added. */
export class SequenceRanges {
  readonly #ranges: [number, number][];

  constructor(ranges: readonly (readonly [number, number])[] = []) {
    this.#ranges = ranges.map(([first, last]) => [first, last]);
  }

  /** Adds a range; one that follows on the one before continues it. */
  add(first: number, last = first): void {
    const before = this.#ranges.at(-1);
    if (before !== undefined && before[1] + 1 === first) before[1] = last;
    else this.#ranges.push([first, last]);
  }

  get ranges(): readonly (readonly [number, number])[] {
    return this.#ranges;
  }

  /** What of these ranges (ascending) isn't in the others (in any order). */
  without(others: SequenceRanges): (readonly [number, number])[] {
    const sorted = [...others.#ranges].sort((a, b) => a[0] - b[0]);
    const rest: (readonly [number, number])[] = [];
    let from = 0;
    for (const [first, last] of this.#ranges) {
      // Ranges that end before this one are of no use to those behind it, which are greater.
      while (from < sorted.length && sorted[from]![1] < first) from++;
      let at = first;
      for (let i = from; i < sorted.length && sorted[i]![0] <= last && at <= last; i++) {
        const [start, end] = sorted[i]!;
        if (start > at) rest.push([at, start - 1]);
        at = Math.max(at, end + 1);
      }
      if (at <= last) rest.push([at, last]);
    }
    return rest;
  }
}
