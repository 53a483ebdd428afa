import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { fittedSentence } from './fitted-sentence.ts';

const { bold, dim } = picocolors.createColors(true);
const sentence = '2025-12-09 10:30:00  u1 updated Patient p1  [why · where]\n    a: 1 → 2';

test('a line that fits stays, whatever its colours take', () => {
  expect(fittedSentence(sentence, 60)).toBe(sentence);
  expect(fittedSentence(sentence, undefined)).toBe(sentence);
  const colored = sentence.replace('u1', bold('u1')).replace('[why · where]', dim('[why · where]'));
  expect(fittedSentence(colored, 57)).toBe(colored);
});

test('a longer one is broken between its parts, the time never alone', () => {
  const broken = '2025-12-09 10:30:00  u1 updated Patient p1\n    [why · where]\n    a: 1 → 2';
  expect(fittedSentence(sentence, 56)).toBe(broken);
  expect(fittedSentence(sentence, 10)).toBe(broken);
});
