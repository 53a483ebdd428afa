import { expect, test } from 'vitest';
import { parseMoment } from './moment-argument.ts';

const now = new Date('2025-12-09T10:30:00Z');
const iso = (text: string) => parseMoment(text, '--since', now).toISOString();

test('so long ago', () => {
  expect(iso('90s')).toBe('2025-12-09T10:28:30.000Z');
  expect(iso('10m')).toBe('2025-12-09T10:20:00.000Z');
  expect(iso('2H')).toBe('2025-12-09T08:30:00.000Z');
  expect(iso('3d')).toBe('2025-12-06T10:30:00.000Z');
  expect(iso('1w')).toBe('2025-12-02T10:30:00.000Z');
});

test('a date and time, local unless it says otherwise', () => {
  expect(iso('2025-12-09T10:30:00Z')).toBe('2025-12-09T10:30:00.000Z');
  expect(iso('2025-12-09 10:30:00.5+02:00')).toBe('2025-12-09T08:30:00.500Z');
  expect(iso('2025-12-09')).toBe(new Date(2025, 11, 9).toISOString());
  expect(iso('2025-12-09 10:30')).toBe(new Date(2025, 11, 9, 10, 30).toISOString());
});

test.each(['', 'yesterday', '10', '10x', '2025-13-40', '09.12.2025', '-3d'])('%j is refused', (text) => {
  expect(() => iso(text)).toThrow('is not a moment');
});
