import { expect, test } from 'vitest';
import type { HealthSample } from '../../api/health.ts';
import { byteUnit, steppedSamples } from './health-series.ts';

test('what nobody has seen has a place of its own', () => {
  const sample = (at: string): HealthSample => ({
    ...{ at, recordingSeconds: 60, problem: null, lagBytes: '1', lagSeconds: 0, retainedBytes: '2' },
    ...{ safeBytes: null, changes: '3', transactions: '1', quarantined: '0', auditTransactions: '1' },
    ...{ auditSeconds: 0.1, databaseBytes: '4' },
  });
  const stepped = steppedSamples({
    ...{ since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:04:00.000Z', step: 60 },
    samples: [sample('2026-01-01T00:01:00.000000Z'), sample('2026-01-01T00:03:00.000000Z')],
  });
  expect(stepped.times).toHaveLength(4);
  expect(stepped.samples.map((each) => each !== undefined)).toEqual([false, true, false, true]);
});

test('the unit of an axis', () => {
  expect([0, 1_023, 1_024, 5 * 1_024 ** 3, 1e30].map((bytes) => byteUnit(bytes).name)).toEqual([
    ...['bytes', 'bytes', 'kB', 'GB', 'PB'],
  ]);
});
