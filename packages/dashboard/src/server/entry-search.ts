import { parseTableName } from '@bemi-db/source/table-name';
import type { ContextFilter, TableFilter } from '@bemi-db/trail/query/change-filter';
import { type LogEntry, type LogQuery, selectEntries, sequenceOf } from '@bemi-db/trail/query/log-entries';
import type pg from 'pg';
import type { EntryFilter } from '../api/entry-filter.ts';
import { ApiProblem } from './api-problem.ts';
import { type Scope, withinScope } from './scope.ts';

/** `table` in any schema, or `schema.table`. */
export function parseTable(text: string): TableFilter {
  try {
    const { schema, name } = parseTableName(text);
    return isQualified(text) ? { schema, name } : { name };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ApiProblem(
      400,
      'table-name',
      'That is not the name of a table',
      'Write table or schema.table.',
      {
        cause,
      },
    );
  }
}

function isQualified(text: string): boolean {
  try {
    parseTableName(`public.${text.trim()}`);
    return false;
  } catch {
    return true; // a name with a schema takes no other before it
  }
}

/** `key=value`; the value may hold further `=`. */
export function parseContext(text: string): ContextFilter {
  const at = text.indexOf('=');
  if (at > 0) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw new ApiProblem(
    400,
    'context-filter',
    'A filter by context is key=value',
    'Such as context=userId=u_42.',
  );
}

/** What is asked of a log, in the words of its queries, and within a scope. `undefined` where nothing can match. */
export function logFilter(query: EntryFilter, scope: Scope): Omit<LogQuery, 'log' | 'limit'> | undefined {
  const tables = withinScope(scope, query.table?.map(parseTable));
  if (tables?.length === 0) return undefined;
  const operations = query.operation?.filter((operation) => operation !== 'DDL');
  const isForDdl = (query.operation?.includes('DDL') ?? true) && query.primaryKey === undefined;
  return {
    kinds: [
      ...(operations?.length === 0 ? [] : (['change'] as const)),
      ...(isForDdl ? (['ddl'] as const) : []),
    ],
    ...(tables?.[0] ? { table: tables[0] } : {}),
    ...(query.primaryKey === undefined ? {} : { primaryKey: query.primaryKey }),
    ...(operations ? { operations } : {}),
    ...(query.context ? { context: query.context.map(parseContext) } : {}),
    ...(query.authenticity ? { authenticity: query.authenticity } : {}),
    ...(query.withoutContext === 'true' ? { withoutContext: true } : {}),
    ...(query.since === undefined ? {} : { since: new Date(query.since) }),
    ...(query.until === undefined ? {} : { until: new Date(query.until) }),
  };
}

/** A page of a log: what was found, and where to go on. */
export interface FoundEntries {
  readonly entries: readonly LogEntry[];
  readonly end: 'page-full' | 'reached' | 'budget';
  readonly next: string | undefined;
  readonly lookedBackTo: { readonly sequence: string; readonly at: string | undefined } | undefined;
}

export async function searchEntries(client: pg.ClientBase, query: LogQuery): Promise<FoundEntries> {
  const entries = await selectEntries(client, query);
  const last = entries.at(-1);
  const isFull = entries.length === query.limit;
  return {
    entries,
    end: isFull ? 'page-full' : 'reached',
    next: isFull && last ? sequenceOf(last) : undefined,
    lookedBackTo: undefined,
  };
}
