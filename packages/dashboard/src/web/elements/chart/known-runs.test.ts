import { expect, test } from 'vitest';
import { knownRuns } from './known-runs.ts';

test('a line has a hole where nothing is known, but for a single value', () => {
  expect(knownRuns([null, 1, 2, null, 3, null, null, 4])).toEqual([[1, 2, 4], [7]]);
  expect(knownRuns([null, null])).toEqual([]);
});
