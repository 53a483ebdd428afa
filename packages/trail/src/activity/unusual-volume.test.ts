import { expect, test } from 'vitest';
import { leastUnusual, unusualVolume } from './unusual-volume.ts';

const judge = (counts: (hour: number) => number, from: number, to: number, first = 0) => {
  const hours = new Map<number, number>();
  for (let hour = first; hour < to; hour++) if (counts(hour) > 0) hours.set(hour, counts(hour));
  return unusualVolume([{ of: 'table', hours }], { from, to, first }).map(({ hour, changes, usual }) => [
    ...[hour, changes, usual],
  ]);
};
const days = 24;

test('one hour that stands out is found, with what is usual', () => {
  expect(judge((hour) => (hour === 40 * days + 14 ? 412 : 3), 30 * days, 45 * days)).toEqual([
    [40 * days + 14, 412, 3],
  ]);
});

test('few are nothing, however rare', () => {
  expect(judge((hour) => (hour === 40 * days ? leastUnusual - 1 : 0), 30 * days, 45 * days)).toEqual([]);
  expect(judge((hour) => (hour === 40 * days ? leastUnusual : 0), 30 * days, 45 * days)).toHaveLength(1);
});

test('what runs every night is usual at night, and nowhere else', () => {
  const nightly = (hour: number) => (hour % 24 === 2 ? 5_000 : 2);
  expect(judge(nightly, 30 * days, 45 * days)).toEqual([]);
  expect(judge((hour) => (hour === 40 * days + 12 ? 5_000 : nightly(hour)), 30 * days, 45 * days)).toEqual([
    [40 * days + 12, 5_000, 2],
  ]);
});

test('what spreads widely must stand out more', () => {
  const wide = (hour: number) => 100 + ((Math.floor(hour / 24) * 37) % 11) * 40;
  expect(judge((hour) => (hour === 40 * days ? 900 : wide(hour)), 30 * days, 45 * days)).toEqual([]);
  expect(judge((hour) => (hour === 40 * days ? 2_000 : wide(hour)), 30 * days, 45 * days)).toHaveLength(1);
});

test('one rush does not hide the next', () => {
  const rush = (hour: number) => (hour === 35 * days || hour === 36 * days ? 1_000 : 5);
  expect(judge(rush, 30 * days, 45 * days).map(([hour]) => hour)).toEqual([35 * days, 36 * days]);
});

test('a young log is compared with all its hours, and a newborn with nothing', () => {
  const young = (hour: number) => (hour === 60 ? 300 : 4);
  expect(judge(young, 0, 72)).toEqual([[60, 300, 4]]);
  expect(judge((hour) => (hour === 20 ? 300 : 4), 0, 24)).toEqual([]);
  // What was before the log began is not known to have been nothing.
  expect(judge(() => 300, 1_000, 1_030, 1_000)).toEqual([]);
});
