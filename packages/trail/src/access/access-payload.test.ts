import { expect, test } from 'vitest';
import { accessPayload } from './access-payload.ts';

test('numbers, times and texts are as the format has them; what is not there is absent', () => {
  expect(
    accessPayload({
      what: 'view',
      via: 'dashboard',
      by: { id: 'a1', email: 'ada@example.org' },
      tables: [{ table: 'Patient' }],
      key: '42',
      sequence: '9007199254740991',
      since: new Date('2026-01-02T03:04:05Z'),
      changes: 0,
    }),
  ).toEqual({
    what: 'view',
    via: 'dashboard',
    by: { id: 'a1', email: 'ada@example.org' },
    tables: [{ table: 'Patient' }],
    key: '42',
    sequence: 9007199254740991,
    since: '2026-01-02T03:04:05.000Z',
    changes: 0,
  });
});

test('what a browser says of itself can neither drive a terminal nor be so long that nothing is recorded', () => {
  const payload = accessPayload({
    what: 'search',
    via: 'dashboard',
    by: { id: 'a\u001b[2J\u202e' },
    userAgent: `${'x'.repeat(498)}😀😀`,
    filters: Array.from({ length: 60 }, (_, i) => `${i}${'ü'.repeat(300)}`),
  });
  expect(payload['by']).toEqual({ id: 'a�[2J�' });
  expect(payload['userAgent']).toHaveLength(499);
  expect(payload['shortened']).toBe(true);
  expect(payload['filters']).toHaveLength(12);
  expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(8_000);
});
