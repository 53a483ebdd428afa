import type { Change } from '@bemi-db/trail/query/change';
import type { ChangeFilter, ValueFilter } from '@bemi-db/trail/query/change-filter';

/**
 * Whether a change satisfies a filter, by looking at what is shown of it: what a search must find, told without SQL. Of numbers it
 * knows only what JavaScript does.
 */
export function satisfies(change: Change, filter: ChangeFilter): boolean {
  const { since, until, after, before } = filter;
  const at = Date.parse(change.timestamp);
  const context = parsed(change.context);
  return (
    (!filter.tables ||
      filter.tables.some(
        ({ schema, name }) => name === change.table && (schema === undefined || schema === change.schema),
      )) &&
    (filter.primaryKey === undefined || filter.primaryKey === change.primaryKey) &&
    (!filter.operations || filter.operations.includes(change.operation)) &&
    (filter.context ?? []).every(({ key, value }) => textOf(context?.[key]) === value) &&
    (!filter.authenticity ||
      (change.authenticity !== undefined && filter.authenticity.includes(change.authenticity))) &&
    (!filter.withoutContext ||
      (!change.contextErased && (context === undefined || Object.keys(context).length === 0))) &&
    (filter.actor === undefined || actorsOf(change).includes(filter.actor)) &&
    (!since || at >= since.getTime()) &&
    (!until || at < until.getTime()) &&
    (filter.transaction === undefined || filter.transaction === change.transaction) &&
    (filter.transactionId === undefined || filter.transactionId === change.transactionId) &&
    (after === undefined || BigInt(change.sequence) > BigInt(after)) &&
    (before === undefined || BigInt(change.sequence) < BigInt(before)) &&
    (!filter.changedColumns || filter.changedColumns.some((column) => change.changed?.includes(column))) &&
    (filter.values ?? []).every((value) => hasValue(change, value)) &&
    (filter.text === undefined || hasText(change, filter.text))
  );
}

function parsed(json: string | undefined): Record<string, unknown> | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as Record<string, unknown>);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function actorsOf(change: Change): unknown[] {
  return [parsed(change.context)?.['userId'], ...Object.values(parsed(change.actor) ?? {})];
}

function hasValue(change: Change, { column, side, operator, value }: ValueFilter): boolean {
  const sides = { before: [change.before], after: [change.after], either: [change.before, change.after] };
  return sides[side ?? 'either'].some((json) => {
    const row = parsed(json);
    if (!row || !(column in row)) return false;
    if (value === null) return row[column] === null;
    const text = textOf(row[column]);
    if (text === undefined) return false;
    return operator === 'is' ? text === value : text.toLowerCase().includes(value.toLowerCase());
  });
}

function hasText(change: Change, text: string): boolean {
  const documents = [change.before, change.after, change.context, change.actor].map(parsed);
  const texts = documents.flatMap((document) => Object.values(document ?? {}).map(textOf));
  return [...texts, change.primaryKey, `${change.schema}.${change.table}`].some((each) =>
    each?.toLowerCase().includes(text.toLowerCase()),
  );
}
