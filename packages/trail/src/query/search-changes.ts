import type pg from 'pg';
import type { Change } from './change.ts';
import type { ChangeFilter } from './change-filter.ts';
import { changeRows } from './change-rows.ts';
import { ReadingTransaction } from './reading-transaction.ts';
import { searchPlan } from './search-plan.ts';
import { SearchWindows } from './search-windows.ts';
import type { Order } from './sequence-range.ts';
import { wantedMs } from './window-size.ts';

export interface ChangeSearch {
  /** Number of the log. */
  readonly log: number;
  readonly filter: ChangeFilter;
  /** How many changes at most. */
  readonly limit: number;
  /** In the order of commit. Default `newest-first`. */
  readonly order?: Order;
  /** How long to look, in milliseconds. Default 300. A little is looked at in any case, so that each search gets on. */
  readonly budgetMs?: number;
  /** `before` and `after` of an UPDATE hold the changed columns alone. Default false. */
  readonly changedOnly?: boolean;
  /** The client is in a transaction, and what that sees is searched. Default: the search has one of its own, which is read-only. */
  readonly isInTransaction?: boolean;
}

/** What a search found. */
export interface FoundChanges {
  readonly changes: readonly Change[];
  /** The log's end was reached; or as many changes were found as asked for; or the time was up before either. */
  readonly end: 'reached' | 'page-full' | 'budget';
  /** How far was looked: every matching change up to there is among `changes`. `undefined` where the end was reached. */
  readonly lookedBackTo: LookedBackTo | undefined;
  /** The filter's `before` (newest first) or `after` (oldest first) to go on with; `undefined` where the end was reached. */
  readonly next: string | undefined;
}

export interface LookedBackTo {
  readonly sequence: string;
  /** When the transaction there committed: ISO 8601 in UTC, with microseconds; `undefined` where there is none. */
  readonly at: string | undefined;
}

export const defaultBudgetMs = 300;

const nothing: FoundChanges = { changes: [], end: 'reached', lookedBackTo: undefined, next: undefined };

/**
 * Looks for the first changes that satisfy a filter. What has an index is found at once in a log of any size: tables, a
 * record, operations, times, a transaction, members of the context, an actor, what is known of the context. What has none is
 * looked for change by change, until the budget is spent: `next` says where to go on.
 */
export async function searchChanges(client: pg.ClientBase, search: ChangeSearch): Promise<FoundChanges> {
  const { log, filter, limit, order = 'newest-first', budgetMs = defaultBudgetMs } = search;
  if (!isPossible(filter)) return nothing;
  const deadline = performance.now() + budgetMs;
  const transaction = new ReadingTransaction(client, search.isInTransaction ?? false);
  await transaction.begin();
  try {
    const plan = await searchPlan(client, { log, filter, order });
    if (!plan) return nothing;
    // A window is meant to take a fraction of that.
    await transaction.setTimeout(Math.max(budgetMs, 100));
    const windows = new SearchWindows(client, transaction, plan, { log, filter, order });
    const found: bigint[] = [];
    while (found.length < limit && !windows.isAtEnd) {
      // Another window would end after it.
      if (windows.count > 0 && performance.now() + wantedMs >= deadline) break;
      found.push(...(await windows.next(limit - found.length)));
    }
    const end = found.length >= limit ? 'page-full' : windows.isAtEnd ? 'reached' : 'budget';
    await transaction.setTimeout(0);
    const changes = await changeRows(client, log, found, search.changedOnly ?? false);
    if (end === 'reached') return { changes, end, lookedBackTo: undefined, next: undefined };
    const lookedAt = end === 'page-full' ? found.at(-1)! : windows.lookedAt;
    return {
      changes,
      end,
      lookedBackTo: { sequence: String(lookedAt), at: await commitTime(client, log, lookedAt) },
      next: String(lookedAt),
    };
  } finally {
    await transaction.end();
  }
}

/** A filter's changes page by page, however long it takes, so that reading many takes no more memory than one page. */
export async function* eachChange(
  client: pg.ClientBase,
  search: Omit<ChangeSearch, 'budgetMs'>,
  pageSize = 200,
): AsyncGenerator<Change, void, void> {
  let { filter } = search;
  for (let left = search.limit; left > 0; ) {
    const page = await searchChanges(client, { ...search, filter, limit: Math.min(left, pageSize) });
    yield* page.changes;
    if (page.next === undefined) return;
    filter = goOnFrom(filter, page.next, search.order);
    left -= page.changes.length;
  }
}

/** The filter that goes on where a search ended. */
export function goOnFrom(filter: ChangeFilter, next: string, order: Order | undefined): ChangeFilter {
  return order === 'oldest-first' ? { ...filter, after: next } : { ...filter, before: next };
}

/** No text of a database holds a NUL, and asking for one is an error. */
function isPossible(filter: ChangeFilter): boolean {
  return !JSON.stringify(filter).includes('\\u0000');
}

async function commitTime(client: pg.ClientBase, log: number, sequence: bigint): Promise<string | undefined> {
  const { rows } = await client.query<{ at: string }>(
    `SELECT to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
       FROM bemi.transaction_log WHERE log = $1 AND sequence >= $2 ORDER BY sequence LIMIT 1`,
    [log, String(sequence)],
  );
  return rows[0]?.at;
}
