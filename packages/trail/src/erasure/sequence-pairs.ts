/** Sequences from the first to the last, both inclusive. */
export type SequencePair = readonly [first: number, last: number];

/** Sequences in any order as pairs in ascending order, as an `erasure` event names them. */
export function sequencePairs(sequences: Iterable<number>): SequencePair[] {
  const pairs: [number, number][] = [];
  for (const sequence of [...new Set(sequences)].sort((a, b) => a - b)) {
    const last = pairs.at(-1);
    if (last && last[1] + 1 === sequence) last[1] = sequence;
    else pairs.push([sequence, sequence]);
  }
  return pairs;
}

/** Cuts pairs into lists of at most so many entries each. */
export function splitPairs(pairs: readonly SequencePair[], mostEntries: number): SequencePair[][] {
  const lists: SequencePair[][] = [];
  let left = 0;
  for (let [first, last] of pairs) {
    while (first <= last) {
      if (left === 0) {
        lists.push([]);
        left = mostEntries;
      }
      const end = Math.min(last, first + left - 1);
      lists.at(-1)!.push([first, end]);
      left -= end - first + 1;
      first = end + 1;
    }
  }
  return lists;
}

/** How many entries the pairs name. */
export function pairedCount(pairs: readonly SequencePair[]): number {
  return pairs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
