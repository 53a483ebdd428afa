import type pg from 'pg';
import type { Change } from './change.ts';
import type { ChangeQuery } from './changes.ts';
import { selectChanges } from './changes.ts';
import { type DdlEntry, selectDdl } from './ddl-entry.ts';

/** What people see of a log, in its order. */
export type LogEntry =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'ddl'; readonly ddl: DdlEntry };

export interface LogQuery extends ChangeQuery {
  /** Which kinds of entries. DDL has no primary key and no operation: filters by these are for changes. */
  readonly kinds: readonly LogEntry['kind'][];
}

export function sequenceOf(entry: LogEntry): string {
  return entry.kind === 'change' ? entry.change.sequence : entry.ddl.sequence;
}

/** One page of a log's changes and DDL. The next page begins at the last one's sequence, as of `selectChanges`. */
export async function selectEntries(client: pg.ClientBase, query: LogQuery): Promise<LogEntry[]> {
  const { kinds, operations: _, primaryKey: __, ...ofDdl } = query;
  const changes = kinds.includes('change') ? await selectChanges(client, query) : [];
  const ddl = kinds.includes('ddl') ? await selectDdl(client, ofDdl) : [];
  const entries: LogEntry[] = [
    ...changes.map((change) => ({ kind: 'change', change }) as const),
    ...ddl.map((each) => ({ kind: 'ddl', ddl: each }) as const),
  ];
  const direction = query.order === 'oldest-first' ? 1 : -1;
  const sorted = entries.sort((a, b) => direction * Number(BigInt(sequenceOf(a)) - BigInt(sequenceOf(b))));
  return sorted.slice(0, query.limit);
}

/** A filter's entries page by page, so that reading many takes no more memory than one page. */
export async function* eachEntry(
  client: pg.ClientBase,
  query: LogQuery,
  pageSize = 200,
): AsyncGenerator<LogEntry, void, void> {
  let { before, after } = query;
  for (let left = query.limit; left > 0; ) {
    const limit = Math.min(left, pageSize);
    const bounds = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
    const page = await selectEntries(client, { ...query, ...bounds, limit });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < limit) return;
    if (query.order === 'oldest-first') after = sequenceOf(last);
    else before = sequenceOf(last);
    left -= page.length;
  }
}
