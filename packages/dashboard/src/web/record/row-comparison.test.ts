import { expect, test } from 'vitest';
import { comparedColumns } from './row-comparison.ts';

test('two rows side by side', () => {
  expect(comparedColumns('{"id":1,"n":10.50,"fax":"1"}', '{"id":1,"n":10.5,"mail":null}')).toEqual([
    { name: 'id', shown: '1', other: '1', differs: false },
    { name: 'n', shown: '10.50', other: '10.5', differs: true },
    { name: 'fax', shown: '"1"', other: undefined, differs: true },
    { name: 'mail', shown: undefined, other: 'null', differs: true },
  ]);
});
