import { expect, test } from 'vitest';
import { type PartitionFacts, retentionPlan } from './retention-plan.ts';

const partition = (from: number, year: number | undefined): PartitionFacts => ({
  from,
  to: from + 256,
  transactions: year === undefined ? 0 : 2,
  changes: year === undefined ? 0 : 10,
  youngest: year === undefined ? undefined : new Date(Date.UTC(year, 0)),
});
const olderThan = new Date('2020-06-01');

test('a prefix of partitions, up to the first with something younger', () => {
  const plan = retentionPlan(
    [
      partition(0, 2010),
      partition(256, 2015),
      partition(512, 2021),
      partition(768, 2010),
      partition(1024, 2022),
    ],
    ...([olderThan, 1100] as const),
  );
  expect(plan).toEqual({ before: 512, transactions: 4, changes: 20, youngest: new Date('2015-01-01') });
});

test('never the partition in which the last transaction begins, however old', () => {
  const partitions = [partition(0, 2010), partition(256, 2011), partition(512, 2012)];
  expect(retentionPlan(partitions, olderThan, 511)).toMatchObject({ before: 256 });
  expect(retentionPlan(partitions, olderThan, 512)).toMatchObject({ before: 512 });
  expect(retentionPlan(partitions, olderThan, 255)).toBeUndefined();
  expect(retentionPlan(partitions, olderThan, undefined)).toBeUndefined();
});

test('a partition with nothing but events keeps nothing', () => {
  expect(retentionPlan([partition(0, undefined), partition(256, 2030)], olderThan, 300)).toMatchObject({
    before: 256,
  });
  expect(retentionPlan([partition(0, 2030), partition(256, undefined)], olderThan, 600)).toBeUndefined();
});
