import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import type pg from 'pg';
import { countedText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** A statement's result: rows as texts, in the order of their columns. */
export type TextResult = Pick<
  pg.QueryArrayResult<(string | null)[]>,
  'command' | 'rowCount' | 'fields' | 'rows'
>;

/** On a terminal, longer values are cut. */
const longestValue = 32;

/** What a statement did: the rows that it returned as a table, and how many it returned or changed. */
export function resultText({ command, rowCount, fields, rows }: TextResult, style: TextStyle): string {
  const table = fields.length > 0 ? tableText(fields, rows, style) : '';
  const count = rowCount === null ? '' : `: ${countedText(rowCount, 'row')}`;
  return `${table}${style.colors.green('✓')} ${command}${count}\n`;
}

function tableText(
  fields: TextResult['fields'],
  rows: TextResult['rows'],
  { colors, columns }: TextStyle,
): string {
  const shown = (value: string | null): string => {
    const text = value === null ? 'NULL' : harmless(value);
    return columns === undefined ? text : shortened(text, longestValue);
  };
  const head = fields.map((field) => shown(field.name));
  const body = rows.map((row) => row.map(shown));
  const widths = head.map((name, index) =>
    Math.max(name.length, ...body.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((text, index) => text.padEnd(widths[index]!))
      .join('  ')
      .trimEnd();
  return [colors.bold(line(head)), ...body.map(line)].map((text) => `${text}\n`).join('');
}
