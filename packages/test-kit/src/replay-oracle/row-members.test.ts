import { expect, test } from 'vitest';
import { membersText, rowMembers } from './row-members.ts';

test.each([
  ['{}', {}],
  ['{"a": 1}', { a: '1' }],
  ['{"a": 1.50, "b": null, "c d": true}', { a: '1.50', b: 'null', 'c d': 'true' }],
  ['{"a": "x, \\"}", "b\\"": "\\\\"}', { a: '"x, \\"}"', 'b"': '"\\\\"' }],
  [
    '{"a": {"b": [1, {"c": "]"}]}, "d": [], "e": [[{}]]}',
    { a: '{"b": [1, {"c": "]"}]}', d: '[]', e: '[[{}]]' },
  ],
])('the members of %s', (text, members) => {
  expect(rowMembers(text)).toEqual(members);
  expect(membersText(rowMembers(text))).toBe(text);
});
