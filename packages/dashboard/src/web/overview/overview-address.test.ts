import { expect, test } from 'vitest';
import { activityQuestion, overviewAddress, periodOf, stepOfAll } from './overview-address.ts';

test('an address says the period and what the bars are parted by; what it can’t mean is left out', () => {
  expect(overviewAddress({ period: '30d', by: 'table' })).toEqual({ period: '30d', by: 'table' });
  expect(overviewAddress({ period: '31d', by: 'operation', log: 'x' })).toEqual({});
  expect(periodOf({})).toMatchObject({ value: '7d', step: 'hour' });
});

test('steps are as long as the period wants', () => {
  const now = new Date('2026-11-22T12:00:00Z');
  const back = (days: number) => new Date(now.getTime() - days * 86_400_000);
  expect([1, 30, 400, 2_000].map((days) => stepOfAll(back(days), now))).toEqual([
    'hour',
    'day',
    'week',
    'month',
  ]);
  expect(activityQuestion(periodOf({ period: '24h' }), null, now, 'Europe/Berlin')).toEqual({
    ...{ since: '2026-11-21T12:00:00.000Z', step: 'hour', zone: 'Europe/Berlin' },
  });
  expect(activityQuestion(periodOf({ period: 'all' }), back(30).toISOString(), now, 'UTC')).toEqual({
    ...{ step: 'day', zone: 'UTC' },
  });
});
