import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { resultText, type TextResult } from './result-text.ts';

const style = { colors: picocolors.createColors(false), columns: 100 };
const field = (name: string): TextResult['fields'][number] => ({
  ...{ name, tableID: 0, columnID: 0, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1 },
  format: 'text',
});

test('how many rows a statement changed', () => {
  const result = { command: 'UPDATE', fields: [], rows: [] };
  expect(resultText({ ...result, rowCount: 1 }, style)).toBe('✓ UPDATE: 1 row\n');
  expect(resultText({ ...result, command: 'TRUNCATE', rowCount: null }, style)).toBe('✓ TRUNCATE\n');
});

test('the rows that it returned, as a table that cannot drive the terminal', () => {
  const rows = [
    ['1', null],
    ['12345', `\u001b[31m${'x'.repeat(50)}`],
  ];
  const result = { command: 'SELECT', rowCount: 2, fields: [field('id'), field('name')], rows };
  expect(resultText(result, style).split('\n')).toEqual([
    'id     name',
    '1      NULL',
    `12345  \\u001b[31m${'x'.repeat(21)}…`,
    '✓ SELECT: 2 rows',
    '',
  ]);
});
