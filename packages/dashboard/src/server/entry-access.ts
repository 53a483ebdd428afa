import type { Access, AccessedTable } from '@bemi-db/trail/access/access';
import { type LogEntry, sequenceOf } from '@bemi-db/trail/query/log-entries';
import type { EntryFilter } from '../api/entry-filter.ts';
import { parseContext, parseTable } from './entry-search.ts';

/** Parameters that say by name alone what was searched for: their values may be anybody's data. */
const namedOnly = ['changed', 'value', 'valueBefore', 'valueAfter'] as const;

/** What was asked for, as the log of accesses has it: names, and a record's key, never a value that was searched for. */
export function askedFor(filter: EntryFilter): Partial<Access> {
  const filters = [
    ...(filter.context ?? []).map((text) => `context.${parseContext(text).key}`),
    ...namedOnly.flatMap((name) => (filter[name] ?? []).map((text) => `${name}.${columnOf(text)}`)),
    ...(['text', 'actor', 'withoutContext', 'transaction', 'transactionId', 'authenticity'] as const).filter(
      (name) => filter[name] !== undefined,
    ),
  ];
  return {
    ...(filter.table ? { tables: filter.table.map(tableOf) } : {}),
    ...(filter.primaryKey === undefined ? {} : { key: filter.primaryKey }),
    ...(filter.operation ? { operations: filter.operation } : {}),
    ...(filters.length > 0 ? { filters } : {}),
    ...(filter.since === undefined ? {} : { since: new Date(filter.since) }),
    ...(filter.until === undefined ? {} : { until: new Date(filter.until) }),
  };
}

/** What was shown of it. */
export function shown(entries: readonly LogEntry[]): Partial<Access> {
  const sequences = entries.map((entry) => BigInt(sequenceOf(entry)));
  if (sequences.length === 0) return { changes: 0 };
  const [first, last] = sequences.reduce(
    ([least, most], each) => [each < least ? each : least, each > most ? each : most] as const,
    [sequences[0]!, sequences[0]!] as const,
  );
  return { changes: entries.length, firstSequence: String(first), lastSequence: String(last) };
}

function tableOf(text: string): AccessedTable {
  const { schema, name } = parseTable(text);
  return schema === undefined ? { table: name } : { schema, table: name };
}

function columnOf(text: string): string {
  return /^[^=~]*/.exec(text)![0];
}
