import type pg from 'pg';
import type { StoredFinding } from './stored-finding.ts';

/** Blocks of 1,024 entries that are compared in one statement: a second, at most. */
const stepBlocks = 128;

/**
 * Compares the index that searches use with the entries: they may be whole, and a search would not find one that the index does
 * not have. What is not in the index yet is looked for in the entries, and nothing to be compared.
 *
 * @returns at most one finding, the first.
 */
export async function verifyIndex(
  client: pg.ClientBase,
  log: number,
  signal: AbortSignal | undefined,
): Promise<StoredFinding[]> {
  const { rows: bounds } = await client.query<{ first: string | null; end: string }>(
    `SELECT (SELECT t.transaction >> 10 FROM bemi.transaction_log t WHERE t.log = $1 ORDER BY t.sequence LIMIT 1) AS first,
            bemi.indexed_changes($1) >> 10 AS "end"`,
    [log],
  );
  const { first, end } = bounds[0]!;
  for (let from = Number(first ?? end); from < Number(end); from += stepBlocks) {
    signal?.throwIfAborted();
    const { rows } = await client.query<{ sequence: string | null }>(differences, [
      ...[log, from, Math.min(from + stepBlocks, Number(end))],
    ]);
    const sequence = rows[0]?.sequence ?? null;
    if (sequence !== null) return [{ code: 'index-altered', sequence: Number(sequence) }];
  }
  return [];
}

// Of the first transaction that is left, retention may have dropped the beginning, and what it said with it.
const differences = `
  WITH expected AS MATERIALIZED (
    SELECT * FROM bemi.indexed_rows($1, $2, $3)
  ), oldest AS MATERIALIZED (
    SELECT t.transaction FROM bemi.transaction_log t WHERE t.log = $1 ORDER BY t.sequence LIMIT 1
  ), stored AS MATERIALIZED (
    SELECT i.* FROM bemi.change_index i
     WHERE i.log = $1 AND i.sequence >= $2::bigint << 10 AND i.sequence < $3::bigint << 10
  ), times AS MATERIALIZED (
    SELECT e.sequence >> 10 AS block, min(e.committed_at) AS first_at, max(e.committed_at) AS last_at, min(e.sequence) AS sequence
      FROM expected e GROUP BY 1
  )
  SELECT min(sequence) AS sequence FROM (
    SELECT coalesce(e.sequence, i.sequence) AS sequence
      FROM expected e FULL JOIN stored i ON i.sequence = e.sequence AND i.transaction = e.transaction
     CROSS JOIN LATERAL (SELECT (coalesce(e.sequence, i.sequence) >> 17)::text AS number) part
     WHERE (i.context_no, i.last_sequence) IS DISTINCT FROM (e.context_no, e.last_sequence)
        OR CASE WHEN e.transaction > (SELECT transaction FROM oldest) THEN i.document IS DISTINCT FROM e.document
                ELSE (i.document -> part.number) - '{c,s,n,a}'::text[] IS DISTINCT FROM
                     (e.document -> part.number) - '{c,s,n,a}'::text[] END
     UNION ALL
    SELECT t.sequence FROM times t LEFT JOIN bemi.change_blocks b ON b.log = $1 AND b.block = t.block
     WHERE NOT coalesce(b.first_at <= t.first_at AND b.last_at >= t.last_at, false)
  ) different`;
