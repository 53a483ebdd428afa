import { parseTableName } from '@bemi-db/source/table-name';
import { parseValueFilterText } from '@bemi-db/trail/facts/value-filter-text';
import type {
  ChangeFilter,
  ContextFilter,
  TableFilter,
  ValueFilter,
} from '@bemi-db/trail/query/change-filter';
import { type FoundEntries, type LogSearch, searchEntries } from '@bemi-db/trail/query/log-entries';
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

/** `column=value`, `column~text` or `column is null`. */
export function parseValue(text: string, side?: 'before' | 'after'): ValueFilter {
  const filter = parseValueFilterText(text, side);
  if (filter) return filter;
  throw new ApiProblem(
    400,
    'value-filter',
    'A filter by value is column=value, column~text, or column is null',
    'Such as value=status=active.',
  );
}

export type Asked = Pick<LogSearch, 'kinds' | 'filter'>;

/** What is asked of a log, in the words of its searches, and within a scope. `undefined` where nothing can match. */
export function logFilter(query: EntryFilter, scope: Scope): Asked | undefined {
  const tables = withinScope(scope, query.table?.map(parseTable));
  if (tables?.length === 0) return undefined;
  const operations = query.operation?.filter((operation) => operation !== 'DDL');
  const values = [
    ...(query.value ?? []).map((text) => parseValue(text)),
    ...(query.valueBefore ?? []).map((text) => parseValue(text, 'before')),
    ...(query.valueAfter ?? []).map((text) => parseValue(text, 'after')),
  ];
  const isForChanges = query.primaryKey !== undefined || query.changed !== undefined || values.length > 0;
  const isForDdl = (query.operation?.includes('DDL') ?? true) && !isForChanges;
  const filter: ChangeFilter = {
    ...(tables ? { tables } : {}),
    ...(query.primaryKey === undefined ? {} : { primaryKey: query.primaryKey }),
    ...(operations ? { operations } : {}),
    ...(query.context ? { context: query.context.map(parseContext) } : {}),
    ...(query.authenticity ? { authenticity: query.authenticity } : {}),
    ...(query.withoutContext === 'true' ? { withoutContext: true } : {}),
    ...(query.actor === undefined ? {} : { actor: query.actor }),
    ...(query.since === undefined ? {} : { since: new Date(query.since) }),
    ...(query.until === undefined ? {} : { until: new Date(query.until) }),
    ...(query.transaction === undefined ? {} : { transaction: query.transaction }),
    ...(query.transactionId === undefined ? {} : { transactionId: query.transactionId }),
    ...(query.changed ? { changedColumns: query.changed } : {}),
    ...(values.length > 0 ? { values } : {}),
    ...(query.text === undefined ? {} : { text: query.text }),
  };
  return {
    kinds: [
      ...(operations?.length === 0 ? [] : (['change'] as const)),
      ...(isForDdl ? (['ddl'] as const) : []),
    ],
    filter,
  };
}

/** A page of a log, from where the last one ended. */
export interface PageOfLog extends Pick<LogSearch, 'log' | 'limit' | 'order' | 'budgetMs'> {
  /** Sequences, exclusive. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** Looks for what is asked, in the transaction that the client is in. */
export async function searchPage(
  client: pg.ClientBase,
  asked: Asked | undefined,
  { before, after, ...page }: PageOfLog,
): Promise<FoundEntries> {
  if (!asked) return { entries: [], end: 'reached', next: undefined, lookedBackTo: undefined };
  const bounds = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  const filter = { ...asked.filter, ...bounds };
  return await searchEntries(client, { ...page, kinds: asked.kinds, filter, isInTransaction: true });
}
