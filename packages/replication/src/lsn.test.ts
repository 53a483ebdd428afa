import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatLsn, type Lsn, parseLsn } from './lsn.ts';

test('reads and prints as PostgreSQL does', () => {
  expect(parseLsn('16/B374D848')).toBe(0x16b374d848n);
  expect(formatLsn(0x16b374d848n as Lsn)).toBe('16/B374D848');
  expect(formatLsn(parseLsn('0/0'))).toBe('0/0');
});

test('every position survives the round trip', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (value) => parseLsn(formatLsn(value as Lsn)) === value,
    ),
  );
});

test.each(['', '0', '0/', '/0', '0/0/0', '0/123456789', 'x/y', ' 0/0'])('refuses %j', (text) => {
  expect(() => parseLsn(text)).toThrow('Not an LSN');
});
