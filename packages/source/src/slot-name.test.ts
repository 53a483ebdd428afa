import { expect, test } from 'vitest';
import { slotNameProblem } from './slot-name.ts';

test.each(['bemi_slot', 'a', '0_1', 'x'.repeat(63)])('%s is a name for a slot', (name) => {
  expect(slotNameProblem(name)).toBeUndefined();
});

test.each(['', 'Bemi', 'bemi-slot', 'bemi.slot', 'slöt', 'x'.repeat(64)])('%s is none', (name) => {
  expect(slotNameProblem(name)).toBeDefined();
});
