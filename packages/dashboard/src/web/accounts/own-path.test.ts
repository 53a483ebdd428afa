import { expect, test } from 'vitest';
import { ownPath } from './own-path.ts';

test.each([
  ['/logs?table=a&q=%2F', '/logs?table=a&q=%2F'],
  ['/record#x', '/record#x'],
  [undefined, '/'],
  ['logs', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/.//evil.example', '/'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  ['/\t/evil.example', '/'],
])('%s leads to %s', (next, path) => {
  expect(ownPath(next)).toBe(path);
});
