import { expect, test } from 'vitest';
import { editDistance, nearestName } from './nearest-name.ts';

test('counts what has to be typed', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('slot', 'slot')).toBe(0);
  expect(editDistance('slto', 'slot')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
});

test('names the nearest, and nothing where nothing is near', () => {
  const known = ['BEMI_DATABASE_URL', 'BEMI_DESTINATION_URL', 'BEMI_PORT'];
  expect(nearestName('BEMI_DATABSE_URL', known)).toBe('BEMI_DATABASE_URL');
  expect(nearestName('BEMI_DESTINATON', known)).toBe('BEMI_DESTINATION_URL');
  expect(nearestName('BEMI_XYZZY_PLUGH_QUUX', known)).toBeUndefined();
});
