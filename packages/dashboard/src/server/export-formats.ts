import { actorFacts } from '@bemi-db/trail/facts/actor-facts';
import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import type { LogEntry } from '@bemi-db/trail/query/log-entries';
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

export const exportFormats = {
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
} as const satisfies Record<string, ExportFormat>;

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
