import { expect, test } from 'vitest';
import { History, LagClock, secondsUntilLimit } from './history.ts';
import type { SourceReading } from './readings.ts';

const reading = (atMs: number, walLsn: bigint, confirmedLsn: bigint): SourceReading => ({
  atMs,
  walLsn,
  keepLimitBytes: undefined,
  slot: {
    isActive: true,
    confirmedLsn,
    lagBytes: Number(walLsn - confirmedLsn),
    retainedBytes: undefined,
    walStatus: undefined,
    safeBytes: undefined,
  },
});

test('a lag lasts from when its oldest WAL was first seen, whatever the clocks say', () => {
  const clock = new LagClock();
  expect(clock.add(reading(0, 100n, 100n))).toBe(0);
  expect(clock.add(reading(10_000, 200n, 100n))).toBe(0); // seen just now
  expect(clock.add(reading(20_000, 300n, 100n))).toBe(10);
  expect(clock.add(reading(30_000, 300n, 200n))).toBe(10); // what was seen at 20 s is the oldest now
  expect(clock.add(reading(40_000, 300n, 300n))).toBe(0);
  expect(clock.add({ ...reading(50_000, 300n, 0n), slot: undefined })).toBeUndefined();
});

test('a lag of days is known to within minutes, in little memory', () => {
  const clock = new LagClock();
  clock.add(reading(0, 0n, 0n));
  const everyMs = 15_000;
  const count = 4 * 24 * 60 * 4;
  for (let i = 1; i <= count; i++) clock.add(reading(i * everyMs, BigInt(i), 0n));
  const half = count / 2;
  const seconds = clock.add(reading(count * everyMs, BigInt(count), BigInt(half)))!;
  expect(Math.abs(seconds - ((count - half) * everyMs) / 1000)).toBeLessThan(60 * 60);
});

test('growth is that of the time that is kept', () => {
  const history = new History<{ atMs: number; value: number | undefined }>(60_000);
  history.add({ atMs: 0, value: 1_000 });
  expect(history.growth(({ value }) => value)).toBeUndefined();
  history.add({ atMs: 30_000, value: undefined });
  history.add({ atMs: 60_000, value: 4_000 });
  expect(history.growth(({ value }) => value)).toEqual({ by: 3_000, seconds: 60 });
  history.add({ atMs: 120_000, value: 4_000 });
  history.add({ atMs: 180_000, value: 4_000 });
  expect(history.growth(({ value }) => value)).toEqual({ by: 0, seconds: 60 });
});

test('the time until the limit', () => {
  expect(secondsUntilLimit(1_000, 10)).toBe(100);
  expect(secondsUntilLimit(-5, 10)).toBe(0);
  expect(secondsUntilLimit(1_000, 0)).toBeUndefined();
  expect(secondsUntilLimit(undefined, 10)).toBeUndefined();
});
