import { expect, test } from 'vitest';
import { parseValueFilterText } from './value-filter-text.ts';

test.each([
  ['status=active', { column: 'status', operator: 'is', value: 'active' }],
  ['status=', { column: 'status', operator: 'is', value: '' }],
  ['status=is null', { column: 'status', operator: 'is', value: 'is null' }],
  ['note~a=b', { column: 'note', operator: 'contains', value: 'a=b' }],
  ['note=a~b', { column: 'note', operator: 'is', value: 'a~b' }],
  ['phone is null', { column: 'phone', operator: 'is', value: null }],
  ['last seen IS NULL', { column: 'last seen', operator: 'is', value: null }],
  ['phone', undefined],
  ['=x', undefined],
  [' is null', undefined],
] as const)('%s', (text, filter) => {
  expect(parseValueFilterText(text)).toEqual(filter);
  expect(parseValueFilterText(text, 'after')).toEqual(filter && { ...filter, side: 'after' });
});
