import { expect, test } from 'vitest';
import { addressText, oneOf, parseAddress } from './address.ts';

test('what is in the address stays text, digit for digit', () => {
  const text = '?log=clinic&table=public.Patient&table=visit&primaryKey=00912345678901234567890&text=a%26b';
  const members = parseAddress(text);
  expect(members).toEqual({
    log: 'clinic',
    table: ['public.Patient', 'visit'],
    primaryKey: '00912345678901234567890',
    text: 'a&b',
  });
  expect(addressText(members)).toBe(text);
  expect(addressText({ log: undefined, text: '', table: [] })).toBe('');
  expect([oneOf(members, 'table'), oneOf(members, 'log'), oneOf(members, 'at')]).toEqual([
    'public.Patient',
    'clinic',
    undefined,
  ]);
});

test('names that JavaScript gives a meaning are names like others', () => {
  const members = parseAddress('?__proto__=a&constructor=b');
  expect(Object.getPrototypeOf(members)).toBe(Object.prototype);
  expect(addressText(members)).toBe('?__proto__=a&constructor=b');
});
