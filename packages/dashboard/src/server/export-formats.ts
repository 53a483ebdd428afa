import { actorFacts } from '@bemi-db/trail/facts/actor-facts';
import { changeSql } from '@bemi-db/trail/facts/change-sql';
import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import { ddlSql } from '@bemi-db/trail/facts/ddl-sql';
import type { LogEntry } from '@bemi-db/trail/query/log-entries';
import type { Table } from '../api/log.ts';
import { entryJson } from './entry-json.ts';

/** How entries are written to a file, a piece of text each. */
export interface ExportFormat {
  readonly contentType: string;
  readonly head: string;
  readonly line: (entry: LogEntry) => string;
}

const columns = [
  ...['sequence', 'timestamp', 'operation', 'schema', 'table', 'primary_key', 'who', 'reason', 'endpoint'],
  ...['changed', 'before', 'after', 'context', 'authenticity', 'actor', 'transaction_id', 'position'],
] as const;

export const exportNames = ['csv', 'jsonl', 'sql'] as const;

export type ExportName = (typeof exportNames)[number];

/** @param tables - as they were last recorded: by which columns a row is found, and which take a value as it is written. */
export function exportFormat(name: ExportName, tables: readonly Table[]): ExportFormat {
  return name === 'sql' ? sqlFormat(tables) : formats[name];
}

/** Statements that make the changes again, a line each as far as their values have no line breaks. */
function sqlFormat(tables: readonly Table[]): ExportFormat {
  const known = new Map(tables.map((each) => [JSON.stringify([each.schema, each.table]), each]));
  return {
    contentType: 'application/sql; charset=utf-8',
    head: '',
    line: (entry) => {
      if (entry.kind === 'ddl') return `${ddlSql(entry.ddl.sequence, entry.ddl.message ?? null, 'again')}\n`;
      const { change } = entry;
      const { key = [], plain = [] } = known.get(JSON.stringify([change.schema, change.table])) ?? {};
      const row = {
        ...change,
        before: change.before ?? null,
        after: change.after ?? null,
        changed: change.changed ?? null,
      };
      return `${changeSql(row, 'again', { key, plain })}\n`;
    },
  };
}

const formats = {
  /** RFC 4180, in UTF-8 with a byte order mark, by which spreadsheets know it. */
  csv: {
    contentType: 'text/csv; charset=utf-8',
    head: `\ufeff${columns.join(',')}\r\n`,
    line: (entry) => `${csvCells(entry).map(csvCell).join(',')}\r\n`,
  },
  /** One JSON object a line, as the API has them. */
  jsonl: {
    contentType: 'application/jsonl; charset=utf-8',
    head: '',
    line: (entry) => `${entryJson(entry, 'json')}\n`,
  },
} as const satisfies Record<Exclude<ExportName, 'sql'>, ExportFormat>;

function csvCells(entry: LogEntry): readonly (string | undefined)[] {
  if (entry.kind === 'ddl') {
    const { sequence, timestamp, message, context, authenticity, actor, transactionId, position } = entry.ddl;
    const { who, why, endpoint } = said(context, actor);
    return [
      ...[sequence, timestamp, 'DDL', undefined, undefined, undefined, who, why, endpoint],
      ...[undefined, undefined, message, context, authenticity, actor, transactionId, position],
    ];
  }
  const { change } = entry;
  const { who, why, endpoint } = said(change.context, change.actor);
  return [
    ...[change.sequence, change.timestamp, change.operation, change.schema, change.table, change.primaryKey],
    ...[who, why, endpoint, change.changed?.join(' '), change.before, change.after, change.context],
    ...[change.authenticity, change.actor, change.transactionId, change.position],
  ];
}

function said(context: string | undefined, actor: string | undefined) {
  if (context !== undefined) return contextFacts(context);
  const users =
    actor === undefined ? [] : actorFacts(actor).flatMap(({ who }) => (who === undefined ? [] : [who]));
  return { who: users.length > 0 ? users.join(' or ') : undefined, why: undefined, endpoint: undefined };
}

/** A spreadsheet takes a text that begins so for a formula, and runs it: an apostrophe makes it a text. */
const formula = /^[=+\-@\t\r]/;
const number = /^-?\d+(\.\d+)?$/;

function csvCell(value: string | undefined): string {
  if (value === undefined) return '';
  const text = formula.test(value) && !number.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
