import type pg from 'pg';
import { mostErasedEntries } from '../erasure/erasure-request.ts';

/** Which changes expire before their partition does. */
export interface ExpiringTables {
  /** Relations of these tables; or, with `isExcept`, of all others. */
  readonly relations: readonly string[];
  readonly isExcept: boolean;
  readonly olderThan: Date;
}

export interface ExpiredEntries {
  /** Ascending; no more than one erasure takes. */
  readonly sequences: readonly number[];
  /** Where to go on. */
  readonly next: number;
  /** Whether nothing behind `next` is known to have expired. */
  readonly isLast: boolean;
}

const windowTransactions = 20_000;

/**
 * The changes from a sequence on that have expired and are neither erased nor held. It looks at a window of transactions,
 * and ends before the first one that is younger. A TRUNCATE has nothing to erase.
 */
export async function expiredEntries(
  client: pg.ClientBase,
  log: number,
  from: number,
  { relations, isExcept, olderThan }: ExpiringTables,
): Promise<ExpiredEntries> {
  const { rows: windows } = await client.query<{ young: string | null; last: string | null; count: string }>(
    `SELECT min(transaction) FILTER (WHERE is_young) AS young, max(sequence) AS last, count(*) AS count
       FROM (SELECT transaction, sequence, greatest(committed_at, recorded_at) >= $3 AS is_young
               FROM bemi.transaction_log WHERE log = $1 AND sequence >= $2 ORDER BY sequence LIMIT $4) transactions`,
    [log, from, olderThan, windowTransactions],
  );
  const { young, last, count } = windows[0]!;
  if (last === null) return { sequences: [], next: from, isLast: true };
  const until = Math.max(from, young === null ? Number(last) + 1 : Number(young));
  const { rows } = await client.query<{ sequence: string }>(
    `SELECT c.sequence FROM bemi.change_log c
      WHERE c.log = $1 AND c.sequence >= $2 AND c.sequence < $3 AND c.salt IS NOT NULL AND c.operation <> 'TRUNCATE'
        AND (c.relation = ANY ($4::bigint[])) <> $5
        AND NOT EXISTS (SELECT FROM bemi.holds h JOIN bemi.relations r
                          ON r.log = h.log AND ((r.root_schema, r.root_table) = (h.schema_name, h.table_name)
                                                OR (r.schema_name, r.table_name) = (h.schema_name, h.table_name))
                         WHERE h.log = $1 AND r.relation = c.relation AND bemi.is_held(h, c))
      ORDER BY c.sequence LIMIT ${mostErasedEntries}`,
    [log, from, until, relations, isExcept],
  );
  const sequences = rows.map(({ sequence }) => Number(sequence));
  const isFull = sequences.length === mostErasedEntries;
  return {
    sequences,
    next: isFull ? sequences.at(-1)! + 1 : until,
    isLast: !isFull && (young !== null || Number(count) < windowTransactions),
  };
}

/** The relations of a table by the name that the log shows it under, in all shapes that it has had. */
export async function relationsOfTables(
  client: pg.ClientBase,
  log: number,
  tables: readonly { readonly schema: string; readonly table: string }[],
): Promise<string[]> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT r.relation FROM bemi.relations r
       JOIN unnest($2::text[], $3::text[]) AS wanted(schema_name, table_name)
         ON (r.root_schema, r.root_table) = (wanted.schema_name, wanted.table_name)
      WHERE r.log = $1`,
    [log, tables.map(({ schema }) => schema), tables.map(({ table }) => table)],
  );
  return rows.map(({ relation }) => relation);
}
