import type pg from 'pg';
import type { ChangeFilter } from './change-filter.ts';
import { type IndexTerms, indexTerms } from './index-terms.ts';
import { isEmptyRange, type Order, overlapOf, type SequenceRange } from './sequence-range.ts';
import { relationsOf, tableNumbers } from './table-relations.ts';

/** Where in a log the changes of a filter can be. */
export interface SearchPlan {
  /** In the order of the search, none empty. */
  readonly ranges: readonly SequenceRange[];
  /** Numbers of the shapes that the filter's tables have had; `undefined` where it names none. */
  readonly relations: readonly string[] | undefined;
  /** Numbers of all shapes of the log, where a record is asked for without its table. */
  readonly recordRelations: readonly string[] | undefined;
  /** What the index knows of the filter, of a record's beside its table and operations; `undefined` where that is nothing. */
  readonly terms: IndexTerms | undefined;
  /** Sequence behind the last one that is in the index. */
  readonly indexedTo: bigint;
}

interface RangeQuery {
  readonly log: number;
  readonly filter: ChangeFilter;
  readonly order: Order;
}

/** Reads what is needed to know where to look; `undefined` where there is nothing to be found. */
export async function searchPlan(client: pg.ClientBase, query: RangeQuery): Promise<SearchPlan | undefined> {
  const { log, filter } = query;
  const relations = filter.tables && (await relationsOf(client, log, filter.tables));
  if (relations?.length === 0) return undefined;
  const { bounds, indexedTo } = await boundsOf(client, log, filter);
  if (isEmptyRange(bounds)) return undefined;
  const transactions = await transactionRanges(client, query);
  const ranges = (transactions ?? [bounds])
    .map((range) => overlapOf(range, bounds))
    .filter((range) => !isEmptyRange(range));
  if (ranges.length === 0) return undefined;
  const isRecord = filter.primaryKey !== undefined;
  const tables = relations && !isRecord ? await tableNumbers(client, log, relations) : undefined;
  return {
    ranges,
    relations,
    recordRelations: isRecord ? (relations ?? (await allRelations(client, log))) : undefined,
    terms: indexTerms(isRecord ? withoutOperations(filter) : filter, tables),
    indexedTo,
  };
}

function withoutOperations({ operations, changedColumns, ...others }: ChangeFilter): ChangeFilter {
  return others;
}

/** What the log has, within the bounds that the filter gives. */
async function boundsOf(
  client: pg.ClientBase,
  log: number,
  filter: ChangeFilter,
): Promise<{ readonly bounds: SequenceRange; readonly indexedTo: bigint }> {
  const { rows } = await client.query<{ low: string | null; high: string; indexed: string }>(
    `SELECT (SELECT t.transaction FROM bemi.transaction_log t WHERE t.log = l.log ORDER BY t.sequence LIMIT 1) AS low,
            l.next_sequence AS high, bemi.indexed_changes(l.log) AS indexed
       FROM bemi.logs l WHERE l.log = $1`,
    [log],
  );
  // What retention has left begins with a transaction; without any there are no changes.
  if (!rows[0] || rows[0].low === null) return { bounds: { low: 0n, high: 0n }, indexedTo: 0n };
  const { low, high, indexed } = rows[0];
  const asked = {
    low: filter.after === undefined ? 0n : BigInt(filter.after) + 1n,
    high: filter.before === undefined ? BigInt(high) : BigInt(filter.before),
  };
  return { bounds: overlapOf({ low: BigInt(low), high: BigInt(high) }, asked), indexedTo: BigInt(indexed) };
}

/** The entries of the transactions that a filter names; `undefined` where it names none. */
async function transactionRanges(
  client: pg.ClientBase,
  { log, filter: { transaction, transactionId }, order }: RangeQuery,
): Promise<SequenceRange[] | undefined> {
  if (transaction === undefined && transactionId === undefined) return undefined;
  const numbers = [transaction, transactionId].filter((each) => each !== undefined);
  if (!numbers.every((each) => /^\d{1,18}$/.test(each))) return [];
  const { rows } = await client.query<{ transaction: string; sequence: string }>(
    `SELECT t.transaction, t.sequence FROM bemi.transaction_log t
      WHERE t.log = $1 AND ($2::bigint IS NULL OR t.transaction = $2) AND ($3::bigint IS NULL OR t.xid = $3)
      ORDER BY t.sequence ${order === 'newest-first' ? 'DESC' : 'ASC'}`,
    [log, transaction, transactionId],
  );
  return rows.map((row) => ({ low: BigInt(row.transaction), high: BigInt(row.sequence) }));
}

async function allRelations(client: pg.ClientBase, log: number): Promise<string[]> {
  const { rows } = await client.query<{ relation: string }>(
    'SELECT relation FROM bemi.relations WHERE log = $1',
    [log],
  );
  return rows.map((row) => row.relation);
}
