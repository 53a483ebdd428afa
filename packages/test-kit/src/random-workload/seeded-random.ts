/** Choices that are the same for the same seed. */
export interface SeededRandom {
  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number;
  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** One of the values, each as often as its weight says. */
  pickWeighted<T extends { readonly weight: number }>(values: readonly T[]): T;
  /** Another sequence of choices, as independent of this one as the number is different. */
  fork(number: number): SeededRandom;
}

/** A seed for a run that nobody asked to repeat. */
export function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/** The generator is splitmix32: one multiplication-and-shift mix of a counter. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (values) => values[below(values.length)]!,
    pickWeighted(values) {
      let rest = below(values.reduce((sum, { weight }) => sum + weight, 0));
      for (const value of values) {
        rest -= value.weight;
        if (rest < 0) return value;
      }
      throw new Error('Nothing to choose from');
    },
    fork: (number) => seededRandom((next() ^ Math.imul(number + 1, 0x85ebca6b)) | 0),
  };
}
