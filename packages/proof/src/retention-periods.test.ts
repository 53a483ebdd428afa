import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  daysToMs,
  LOWERING_DELAY_MS,
  RetentionPeriods,
  type RetentionSetting,
  retentionSetting,
} from './retention-periods.ts';

const start = Date.UTC(2026, 0);
const day = (n: number): number => start + daysToMs(n);
const invoices = { schema: 'public', table: 'Invoice' };
const set = (onDay: number, days: number | undefined, table?: typeof invoices): RetentionSetting => ({
  ...{ at: day(onDay), effectiveAt: day(onDay), days, table },
});

test('nothing is in force before the log says so; the first period counts at once', () => {
  expect(new RetentionPeriods().at(start)).toEqual({
    ...{ days: undefined, longest: undefined, tables: [], pending: [] },
  });
  expect(new RetentionPeriods([set(0, 2192)]).at(start)).toMatchObject({ days: 2192, longest: 2192 });
});

test('longer counts at once, shorter seven days later, whatever the event says', () => {
  const periods = new RetentionPeriods([set(0, 100), set(1, 200), set(2, 50)]);
  expect(periods.at(day(1)).days).toBe(200);
  expect(periods.at(day(8.9))).toMatchObject({
    days: 200,
    pending: [{ days: 50, effectiveAt: day(2) + LOWERING_DELAY_MS }],
  });
  expect(periods.at(day(9))).toMatchObject({ days: 50, pending: [] });
  expect(periods.isLowering(100, undefined, day(3))).toBe(true);
  expect(periods.isLowering(200, undefined, day(3))).toBe(false);
});

test('what is said later takes the place of what waits', () => {
  const periods = new RetentionPeriods([set(0, 100), set(1, 10), set(5, 120), set(6, 90), set(10, 80)]);
  expect(periods.at(day(9)).days).toBe(120);
  expect(periods.at(day(14)).days).toBe(120); // 90 would have counted on day 13
  expect(periods.at(day(17)).days).toBe(80);
});

test('a table has a period of its own until it is given up; the longest of all keeps partitions', () => {
  const periods = new RetentionPeriods([set(0, 100), set(0, 3650, invoices), set(20, undefined, invoices)]);
  expect(periods.at(day(1))).toMatchObject({
    ...{ days: 100, longest: 3650, tables: [{ ...invoices, days: 3650 }] },
  });
  expect(periods.at(day(26)).longest).toBe(3650); // giving it up is lowering
  expect(periods.at(day(27))).toMatchObject({ longest: 100, tables: [] });
});

test('nothing that was said in the last seven days makes anything be kept for less long', () => {
  const setting = fc.record({
    gap: fc.double({ min: 0, max: 20, noNaN: true }),
    days: fc.integer({ min: 1, max: 50 }),
  });
  const list = fc.array(setting, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(list, fc.double({ min: 0, max: 30, noNaN: true }), (said, after) => {
      let onDay = 0;
      const settings = said.map(({ gap, days }) => {
        onDay += gap;
        return set(onDay, days);
      });
      const now = day(onDay + after);
      const periods = new RetentionPeriods(settings);
      const inForce = periods.at(now).days!;
      const saidBefore = settings.filter(({ at }) => at <= now - LOWERING_DELAY_MS);
      const before = new RetentionPeriods(saidBefore).at(now).days;
      if (before !== undefined) expect(inForce).toBeGreaterThanOrEqual(before);
      expect(settings.map(({ days }) => days)).toContain(inForce);
      // In the end the last word counts.
      expect(periods.at(now + LOWERING_DELAY_MS).days).toBe(settings.at(-1)!.days);
    }),
  );
});

test('payloads that are none are passed over', () => {
  const effectiveAt = '2026-01-08T00:00:00Z';
  expect(retentionSetting({ event: 'retention-set', days: 30, effectiveAt }, start)).toEqual({
    ...{ at: start, days: 30, table: undefined, effectiveAt: day(7) },
  });
  expect(retentionSetting({ event: 'retention-set', ...invoices, effectiveAt }, start)).toMatchObject({
    ...{ days: undefined, table: invoices },
  });
  for (const payload of [
    { event: 'rules-set', days: 30, effectiveAt },
    { event: 'retention-set', effectiveAt },
    { event: 'retention-set', days: -1, effectiveAt },
    { event: 'retention-set', days: 30, schema: 'public', effectiveAt },
    { event: 'retention-set', days: 30, effectiveAt: 'soon' },
  ])
    expect(retentionSetting(payload, start)).toBeUndefined();
});
