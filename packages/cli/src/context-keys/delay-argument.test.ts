import { expect, test } from 'vitest';
import { parseDelay } from './delay-argument.ts';

test('a length of time', () => {
  expect(['0s', '90s', '30m', '24h', '7D', '2w'].map((text) => parseDelay(text, '--after'))).toEqual([
    0, 90, 1_800, 86_400, 604_800, 1_209_600,
  ]);
  for (const text of ['', '24', 'h', '-1h', '1.5h', '4000d', 'tomorrow'])
    expect(() => parseDelay(text, '--after')).toThrow('is no length of time');
});
