import { expect, test } from 'vitest';
import { nextPartitionRange } from './partition-plan.ts';

test('the first range comes at once, the next when half of it is used', () => {
  expect(nextPartitionRange({ nextSequence: 0, coveredTo: 0, keptFrom: 0, totalBytes: 0 })).toEqual({
    from: 0,
    to: 4_000_000,
  });
  expect(
    nextPartitionRange({ nextSequence: 1_999_999, coveredTo: 4_000_000, keptFrom: 0, totalBytes: 0 }),
  ).toBeUndefined();
  expect(
    nextPartitionRange({
      nextSequence: 2_000_001,
      coveredTo: 4_000_000,
      keptFrom: 0,
      totalBytes: 800_000_000,
    }),
  ).toEqual({
    from: 4_000_000,
    // By size, and to the end of a tile of the log's tree.
    to: 4_000_000 + Math.ceil((2 * 1024 ** 3) / (800_000_000 / 2_000_001) / 256) * 256,
  });
});

test('after a prefix was dropped, the size of an entry is that of those that are left', () => {
  const left = {
    nextSequence: 10_000_000,
    coveredTo: 12_000_000,
    keptFrom: 8_000_000,
    totalBytes: 2_000_000 * 500,
  };
  expect(nextPartitionRange({ ...left, nextSequence: 10_000_001 })).toEqual({
    from: 12_000_000,
    to: 12_000_000 + Math.ceil((2 * 1024 ** 3) / ((2_000_000 * 500) / 2_000_001) / 256) * 256,
  });
});

test('partitions stay few, however much is recorded and however large its rows are', () => {
  for (const bytesPerEntry of [150, 400, 5_000, 200_000]) {
    let coveredTo = 0;
    let partitions = 0;
    // Up to 20 TB.
    for (
      let nextSequence = 0;
      nextSequence * bytesPerEntry < 20e12;
      nextSequence = Math.max(coveredTo - 1_000_000, 1)
    ) {
      const range = nextPartitionRange({
        nextSequence,
        coveredTo,
        keptFrom: 0,
        totalBytes: nextSequence * bytesPerEntry,
      });
      if (!range) break;
      expect(range.from).toBe(coveredTo);
      coveredTo = range.to;
      partitions++;
    }
    expect(partitions).toBeLessThan(bytesPerEntry > 10_000 ? 500 : 300);
  }
});
