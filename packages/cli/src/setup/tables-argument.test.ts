import type { SourceSnapshot, TableSnapshot } from '@bemi-db/source/source-snapshot';
import { displayTable, parseTableName } from '@bemi-db/source/table-name';
import { expect, test } from 'vitest';
import { parseTableSelection, parseTables, selectTables } from './tables-argument.ts';

const table = (name: string, more: Partial<TableSnapshot> = {}) =>
  ({ ...parseTableName(name), persistence: 'permanent', parents: [], ...more }) as TableSnapshot;
const snapshot = {
  tables: [
    table('public.Patient'),
    table('public.note'),
    table('public.visit'),
    table('public.visit_2026', { parents: ['1'] }),
    table('public.cache', { persistence: 'unlogged' }),
    table('public.spatial_ref_sys', { extension: 'postgis' }),
    table('sales.invoice'),
    table('sales."in.voice"'),
  ],
} as unknown as SourceSnapshot;

test.each([
  ['Patient', ['public.Patient']],
  ['note,sales.invoice', ['public.note', 'sales.invoice']],
  ['"odd,name"', ['public."odd,name"']],
  ['*', ['public.Patient', 'public.note', 'public.visit', 'sales.invoice', 'sales."in.voice"']],
  ['public.*', ['public.Patient', 'public.note', 'public.visit']],
  ['in*', ['sales.invoice', 'sales."in.voice"']],
  ['sales."in."*', ['sales."in.voice"']],
  ['s*.*v*e', ['sales.invoice', 'sales."in.voice"']],
  // Named, whatever it is; and once.
  ['cache,visit_2026,note,n*', ['public.cache', 'public.visit_2026', 'public.note']],
])('%s selects %j', (text, tables) => {
  expect(selectTables(parseTableSelection(text), snapshot).map(displayTable)).toEqual(tables);
});

test('a pattern that no table has, and a pattern where none is possible', () => {
  expect(() => selectTables(parseTableSelection('pat*'), snapshot)).toThrow('No table is named like pat*');
  expect(() => parseTables('a,b*')).toThrow('--tables takes no patterns here: b*');
  expect(() => parseTableSelection('a.b.c')).toThrow('not the name of a table');
});
