import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayTable, displayTables, parseTableName, quoteTable } from './table-name.ts';

test('quotes what SQL would fold or misread', () => {
  expect(quoteTable({ schema: 'public', name: 'Patient' })).toBe('"public"."Patient"');
  expect(quoteTable({ schema: 'a.b', name: 'say "hi"' })).toBe('"a.b"."say ""hi"""');
});

test('a table without schema is one of public, and case is kept', () => {
  expect(parseTableName('Patient')).toEqual({ schema: 'public', name: 'Patient' });
  expect(parseTableName(' clinic.Patient ')).toEqual({ schema: 'clinic', name: 'Patient' });
  expect(parseTableName('"a.b"."say ""hi"""')).toEqual({ schema: 'a.b', name: 'say "hi"' });
});

test.each(['', '.', 'a.', '.b', 'a.b.c', '"a', 'a"b'])('%s is not the name of a table', (text) => {
  expect(() => parseTableName(text)).toThrow(SyntaxError);
});

test('what is displayed can be typed back, whatever the name', () => {
  const identifier = fc.string({ minLength: 1, unit: 'grapheme' });
  fc.assert(
    fc.property(identifier, identifier, (schema, name) => {
      expect(parseTableName(displayTable({ schema, name }))).toEqual({ schema, name });
    }),
  );
});

test('a long list is cut', () => {
  const tables = Array.from({ length: 12 }, (_, i) => ({ schema: 'public', name: `t${i}` }));
  expect(displayTables(tables)).toMatch(/^public\.t0, .*public\.t9 and 2 more$/);
});
