import type pg from 'pg';
import type { Change } from './change.ts';
import { type DdlEntry, selectDdl } from './ddl-entry.ts';
import { type ChangeSearch, type FoundChanges, goOnFrom, searchChanges } from './search-changes.ts';

/** What people see of a log, in its order. */
export type LogEntry =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'ddl'; readonly ddl: DdlEntry };

export interface LogSearch extends ChangeSearch {
  /** Which kinds of entries. Filters that DDL can't satisfy (operations, keys, values) are for changes alone. */
  readonly kinds: readonly LogEntry['kind'][];
}

/** As of {@link searchChanges}. */
export interface FoundEntries extends Omit<FoundChanges, 'changes'> {
  readonly entries: readonly LogEntry[];
}

export function sequenceOf(entry: LogEntry): string {
  return entry.kind === 'change' ? entry.change.sequence : entry.ddl.sequence;
}

/** Looks for a log's changes and DDL as `searchChanges` looks for changes. */
export async function searchEntries(client: pg.ClientBase, search: LogSearch): Promise<FoundEntries> {
  const { kinds, limit, order } = search;
  const found: FoundChanges = kinds.includes('change')
    ? await searchChanges(client, search)
    : { changes: [], end: 'reached', lookedBackTo: undefined, next: undefined };
  const ddl = kinds.includes('ddl') ? await selectDdl(client, search) : [];
  const direction = order === 'oldest-first' ? 1 : -1;
  const compare = (a: string, b: string): number => direction * Number(BigInt(a) - BigInt(b));
  const changes = found.changes.map((change) => ({ kind: 'change', change }) as const);
  const all: LogEntry[] = [
    ...changes,
    // Beyond what was looked at, changes may come first.
    ...ddl
      .filter(({ sequence }) => found.next === undefined || compare(sequence, found.next) <= 0)
      .map((each) => ({ kind: 'ddl', ddl: each }) as const),
  ];
  const entries = all.sort((a, b) => compare(sequenceOf(a), sequenceOf(b))).slice(0, limit);
  const last = entries.at(-1);
  if (!last || entries.length < limit) return { ...found, entries };
  const at = last.kind === 'change' ? last.change.timestamp : last.ddl.timestamp;
  return {
    entries,
    end: 'page-full',
    lookedBackTo: { sequence: sequenceOf(last), at },
    next: sequenceOf(last),
  };
}

/**
 * A filter's entries page by page, however long it takes, so that reading many takes no more memory than one page.
 *
 * @param onProgress - called after each page with what was found until then and how far was looked.
 */
export async function* eachEntry(
  client: pg.ClientBase,
  search: Omit<LogSearch, 'budgetMs'>,
  { pageSize = 200, onProgress }: EachEntryOptions = {},
): AsyncGenerator<LogEntry, void, void> {
  let { filter } = search;
  for (let left = search.limit; left > 0; ) {
    const page = await searchEntries(client, { ...search, filter, limit: Math.min(left, pageSize) });
    yield* page.entries;
    if (page.next === undefined) return;
    left -= page.entries.length;
    onProgress?.(page);
    filter = goOnFrom(filter, page.next, search.order);
  }
}

export interface EachEntryOptions {
  readonly pageSize?: number;
  readonly onProgress?: (page: FoundEntries) => void;
}
