import { expect, test } from 'vitest';
import { apartTicks, tickText, timeAt } from './time-axis.ts';

test('marks say as much as tells them apart', () => {
  expect(tickText(new Date(2026, 0, 1))).toBe('2026');
  expect(tickText(new Date(2026, 2, 1))).toBe('Mar');
  expect(tickText(new Date(2026, 2, 9))).toMatch(/9/);
  expect(tickText(new Date(2026, 2, 9, 14, 30))).toMatch(/30/);
});

test('of marks that would touch, the one that begins a month stays', () => {
  const days = [27, 29, 31, 32, 34].map((day) => new Date(2026, 9, day));
  const x = (at: Date) => (at.getTime() - days[0]!.getTime()) / 3_600_000;
  expect(apartTicks(days, x, 40).map((at) => at.getDate())).toEqual([27, 29, 1, 3]);
});

test('a moment belongs to the step that it lies in, or to the nearest sample', () => {
  const times = [0, 10, 20, 40].map((ms) => new Date(ms));
  const at = (moment: number, kind: 'steps' | 'samples') => timeAt(times, moment, kind);
  expect([-5, 0, 9, 10, 39, 40, 99].map((moment) => at(moment, 'steps'))).toEqual([0, 0, 0, 1, 2, 3, 3]);
  expect([-5, 4, 6, 29, 31, 99].map((moment) => at(moment, 'samples'))).toEqual([0, 0, 1, 2, 3, 3]);
  expect(timeAt([new Date(7)], 99, 'samples')).toBe(0);
});
