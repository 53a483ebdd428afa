import { changeSql } from '@bemi-db/trail/facts/change-sql';
import { ddlSql } from '@bemi-db/trail/facts/ddl-sql';
import type { Entry } from '../../api/entry.ts';
import type { Table } from '../../api/log.ts';
import { entryFacts } from './entry-facts.ts';
import { indentedJson } from './json-text.ts';

export type CopyForm = 'sql-again' | 'sql-undo' | 'json' | 'csv';

export const copyForms: readonly (readonly [CopyForm, string])[] = [
  ['sql-again', 'SQL that makes it again'],
  ['sql-undo', 'SQL that undoes it'],
  ['json', 'JSON'],
  ['csv', 'CSV'],
];

/** Entries as text for other programs. @param entries - newest first, as the page has them. */
export function entryTexts(entries: readonly Entry[], form: CopyForm, tables: readonly Table[]): string {
  // Made again in the order in which they happened, undone in the other one.
  const ordered = form === 'sql-undo' ? entries : entries.toReversed();
  switch (form) {
    case 'json':
      return entries.length === 1 ? indentedJson(entryJsonText(entries[0]!)) : listText(ordered);
    case 'csv':
      return [csvHead, ...ordered.map(csvLine)].join('\r\n');
    default:
      return ordered
        .map((entry) => sqlText(entry, form === 'sql-again' ? 'again' : 'undo', tables))
        .join('\n');
  }
}

function listText(entries: readonly Entry[]): string {
  return `[\n${entries.map(entryJsonText).join(',\n')}\n]`;
}

/** As the API has it: rows and contexts are put in as the texts that they are, so no number is rounded. */
function entryJsonText(entry: Entry): string {
  const texts = new Set(['before', 'after', 'context', 'message']);
  const members = Object.entries(entry).map(
    ([name, value]) =>
      `${JSON.stringify(name)}:${texts.has(name) && typeof value === 'string' ? value : JSON.stringify(value ?? null)}`,
  );
  return `{${members.join(',')}}`;
}

function sqlText(entry: Entry, way: 'again' | 'undo', tables: readonly Table[]): string {
  if (entry.kind === 'ddl') return ddlSql(entry.sequence, entry.message, way);
  const table = tables.find(({ schema, table: name }) => schema === entry.schema && name === entry.table);
  return changeSql(entry, way, { key: table?.key ?? [], plain: table?.plain ?? [] });
}

const csvColumns = [
  ...['sequence', 'timestamp', 'operation', 'schema', 'table', 'primary_key', 'who', 'reason', 'endpoint'],
  ...['changed', 'before', 'after', 'context', 'authenticity', 'transaction_id', 'position'],
] as const;
const csvHead = csvColumns.join(',');

function csvLine(entry: Entry): string {
  const { actor, why, endpoint } = entryFacts(entry);
  const change = entry.kind === 'change' ? entry : undefined;
  return [
    ...[entry.sequence, entry.timestamp, change?.operation ?? 'DDL', change?.schema, change?.table],
    ...[change?.primaryKey, actor, why, endpoint, change?.changed?.join(' '), change?.before],
    ...[entry.kind === 'change' ? entry.after : entry.message, entry.context, entry.authenticity],
    ...[entry.transactionId, entry.position],
  ]
    .map(csvCell)
    .join(',');
}

const formula = /^[=+\-@\t\r]/;
const number = /^-?\d+(\.\d+)?$/;

/** RFC 4180. A spreadsheet takes a text that begins as a formula for one, and runs it: an apostrophe makes it a text. */
function csvCell(value: string | null | undefined): string {
  if (value === null || value === undefined) return '';
  const text = formula.test(value) && !number.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
