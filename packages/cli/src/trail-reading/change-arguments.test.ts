import { expect, test } from 'vitest';
import { parseTables } from '../setup/tables-argument.ts';
import {
  parseAuthenticity,
  parseContextFilter,
  parseOperations,
  parseTableFilter,
  parseValueFilter,
  parseWholeNumber,
} from './change-arguments.ts';

test('a table, with or without its schema', () => {
  expect(parseTableFilter('Patient')).toEqual({ name: 'Patient' });
  expect(parseTableFilter('sales.Order')).toEqual({ schema: 'sales', name: 'Order' });
  expect(parseTableFilter('"odd.name"')).toEqual({ name: 'odd.name' });
  expect(parseTableFilter('sales."odd.name"')).toEqual({ schema: 'sales', name: 'odd.name' });
  expect(() => parseTableFilter('a.b.c')).toThrow('is not the name of a table');
});

test('several tables for setup', () => {
  expect(parseTables('a, b.c,"x,y"')).toEqual([
    { schema: 'public', name: 'a' },
    { schema: 'b', name: 'c' },
    { schema: 'public', name: 'x,y' },
  ]);
  expect(parseTables('')).toEqual([]);
  expect(() => parseTables('a.b.c')).toThrow('is not the name of a table');
});

test('operations and contexts', () => {
  expect(parseOperations(['insert,Delete', 'TRUNCATE'])).toEqual(['INSERT', 'DELETE', 'TRUNCATE']);
  expect(parseContextFilter('query=a=b')).toEqual({ key: 'query', value: 'a=b' });
  expect(parseAuthenticity(['Forged, stale', 'replayed'])).toEqual(['forged', 'stale', 'replayed']);
  expect(() => parseAuthenticity(['false'])).toThrow('is not what a context can be');
  expect(() => parseContextFilter('=x')).toThrow('is not KEY=VALUE');
});

test('values, and numbers', () => {
  expect(parseValueFilter('a=b~c')).toEqual({ column: 'a', operator: 'is', value: 'b~c' });
  expect(parseValueFilter('a~b=c', 'after')).toEqual({
    column: 'a',
    operator: 'contains',
    value: 'b=c',
    side: 'after',
  });
  expect(() => parseValueFilter('=b')).toThrow('is neither COLUMN=VALUE nor COLUMN~TEXT');
  expect(parseWholeNumber('17', '--transaction')).toBe('17');
  expect(() => parseWholeNumber('-1', '--transaction')).toThrow('is no number');
});
