import type { EntryFilter } from '../../api/entry-filter.ts';
import { oneOf } from '../app/address.ts';
import { momentOf } from './moment-text.ts';

/** How entries are put together on the page. */
export type Grouping = 'transaction' | 'request' | 'actor';

/** What the address of the logs says: the filter, in the API's names, and how it is shown. A type, so that it is a record. */
export type LogsAddress = {
  readonly log?: string;
  readonly group?: Grouping;
  readonly table?: readonly string[];
  readonly primaryKey?: string;
  readonly operation?: readonly Operation[];
  /** A moment, or a time back from now: `24h`, which stays so in the address. */
  readonly since?: string;
  readonly until?: string;
  readonly transaction?: string;
  readonly transactionId?: string;
  readonly context?: readonly string[];
  readonly authenticity?: readonly Authenticity[];
  readonly withoutContext?: 'true';
  readonly actor?: string;
  readonly changed?: readonly string[];
  readonly value?: readonly string[];
  readonly valueBefore?: readonly string[];
  readonly valueAfter?: readonly string[];
  readonly text?: string;
};

export const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'DDL'] as const;
export type Operation = (typeof operations)[number];
export const authenticities = ['authentic', 'unsigned', 'forged', 'replayed', 'stale'] as const;
export type Authenticity = (typeof authenticities)[number];
const groupings: readonly Grouping[] = ['transaction', 'request', 'actor'];

/** Members that hold one text each, and those that hold several. */
const single = ['primaryKey', 'transaction', 'transactionId', 'actor', 'text'] as const;
const several = ['table', 'context', 'changed', 'value', 'valueBefore', 'valueAfter'] as const;
export type SeveralName = (typeof several)[number] | 'operation' | 'authenticity';

/** Reads an address. What can't be meant is left out, so a mistyped one shows more, and the chips say what counts. */
export function logsAddress(search: Readonly<Record<string, unknown>>): LogsAddress {
  const read: Record<string, unknown> = { log: oneOf(search, 'log') };
  for (const name of single) read[name] = oneOf(search, name);
  for (const name of several) read[name] = someOf(listOf(search, name));
  read['operation'] = someOf(listOf(search, 'operation').filter((each) => isOneOf(operations, each)));
  read['authenticity'] = someOf(
    listOf(search, 'authenticity').filter((each) => isOneOf(authenticities, each)),
  );
  read['group'] = groupings.find((each) => each === oneOf(search, 'group'));
  read['withoutContext'] = oneOf(search, 'withoutContext') === 'true' ? 'true' : undefined;
  for (const name of ['since', 'until']) {
    const moment = oneOf(search, name);
    read[name] = moment !== undefined && momentOf(moment, new Date()) !== undefined ? moment : undefined;
  }
  for (const name of ['transaction', 'transactionId'])
    if (!/^\d{1,18}$/.test(String(read[name]))) read[name] = undefined;
  return defined(read);
}

/** The filter as the API takes it: relative times are reckoned from `now`. */
export function apiFilter(search: LogsAddress, now: Date): EntryFilter {
  const { log: _, group: __, since, until, ...filter } = search;
  const times = { since: since && momentOf(since, now), until: until && momentOf(until, now) };
  return defined({ ...filter, ...times }) as EntryFilter;
}

/** Whether the address asks for less than the whole log. */
export function isFiltered({ log: _, group: __, ...filter }: LogsAddress): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** With one more value of a name that holds several. */
export function withValue(search: LogsAddress, name: SeveralName, value: string): LogsAddress {
  const before = (search[name] ?? []) as readonly string[];
  return { ...search, [name]: [...new Set([...before, value])] };
}

/** Without one value, or without the name. */
export function withoutValue(search: LogsAddress, name: keyof LogsAddress, value?: string): LogsAddress {
  const { [name]: before, ...rest } = search;
  if (!Array.isArray(before) || value === undefined) return rest;
  const left = before.filter((each) => each !== value);
  return left.length === 0 ? rest : { ...rest, [name]: left };
}

/** With only the log and the grouping left. */
export function withoutFilter({ log, group }: LogsAddress): LogsAddress {
  return defined({ log, group });
}

function listOf(search: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const value = search[name];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return [...new Set(list.filter((each) => typeof each === 'string' && each !== ''))] as string[];
}

function someOf<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function isOneOf<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}

function defined(members: Record<string, unknown>): LogsAddress {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
