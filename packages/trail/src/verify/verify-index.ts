import type pg from 'pg';
import { blockSequences } from '../partitions.ts';
import type { StoredFinding } from './stored-finding.ts';

/** Blocks of 1,024 entries that are compared in one statement: a second, at most. */
const stepBlocks = 128;

/**
 * Compares the index that searches use with the entries: they may be whole, and a search would not find one that the index does
 * not have. What is not in the index yet is looked for in the entries, and nothing to be compared.
 *
 * @param onProgress - called before the first step and after each one, with the entries that are compared, and how many there
 * are.
 * @returns at most one finding, the first.
 */
export async function verifyIndex(
  client: pg.ClientBase,
  log: number,
  signal: AbortSignal | undefined,
  onProgress?: (done: number, total: number) => void,
): Promise<StoredFinding[]> {
  const { rows: bounds } = await client.query<{ first: string | null; end: string }>(
    `SELECT (SELECT t.transaction >> 10 FROM bemi.transaction_log t WHERE t.log = $1 ORDER BY t.sequence LIMIT 1) AS first,
            bemi.indexed_changes($1) >> 10 AS "end"`,
    [log],
  );
  const { first, end } = bounds[0]!;
  const begin = Number(first ?? end);
  const tell = (to: number) =>
    onProgress?.((to - begin) * blockSequences, (Number(end) - begin) * blockSequences);
  if (begin < Number(end)) tell(begin);
  for (let from = begin; from < Number(end); ) {
    signal?.throwIfAborted();
    // Each step is one of the ranges whose counts are added up, or what is there of it.
    const to = Math.min((Math.floor(from / stepBlocks) + 1) * stepBlocks, Number(end));
    for (const statement of [differences, differentSums]) {
      const { rows } = await client.query<{ sequence: string | null }>(statement, [log, from, to]);
      const sequence = rows[0]?.sequence ?? null;
      if (sequence !== null) return [{ code: 'index-altered', sequence: Number(sequence) }];
    }
    from = to;
    tell(to);
  }
  const { rows } = await client.query<{ sequence: string }>(strayCounts, [log, first ?? end, end]);
  return rows.map(({ sequence }) => ({ code: 'index-altered', sequence: Number(sequence) }));
}

// Of the first transaction that is left, retention may have dropped the beginning, and what it said with it.
const differences = `
  WITH expected AS MATERIALIZED (
    SELECT * FROM bemi.indexed_rows($1, $2, $3)
  ), tallies AS MATERIALIZED (
    SELECT array_agg(e.tally) AS tallies FROM expected e
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
     UNION ALL
    SELECT coalesce(c.block, a.block) << 10
      FROM (SELECT c.* FROM tallies t CROSS JOIN LATERAL bemi.counted_changes(t.tallies) c) c
      FULL JOIN (SELECT * FROM bemi.activity WHERE log = $1 AND block >= $2 AND block < $3) a USING (block, hour, "table")
      JOIN bemi.change_blocks b ON b.log = $1 AND b.block = coalesce(c.block, a.block) AND b.changes_counted
     WHERE (a.inserts, a.updates, a.deletes, a.truncates, a.without_context) IS DISTINCT FROM
           (c.inserts, c.updates, c.deletes, c.truncates, c.without_context)
     UNION ALL
    SELECT coalesce(c.block, a.block) << 10
      FROM (SELECT c.* FROM tallies t CROSS JOIN LATERAL bemi.counted_names(t.tallies) c) c
      FULL JOIN (SELECT * FROM bemi.activity_names WHERE log = $1 AND block >= $2 AND block < $3) a USING (block, hour, "table")
      JOIN bemi.change_blocks b ON b.log = $1 AND b.block = coalesce(c.block, a.block) AND b.names_counted
     WHERE (a.names, a.changes, a.without_context, a.kinds) IS DISTINCT FROM (c.names, c.changes, c.without_context, c.kinds)
  ) different`;

/** What was added up of a range is what its blocks have. */
const differentSums = `
  SELECT min(different.range) << 17 AS sequence FROM (
    SELECT g.range FROM bemi.activity_ranges g
     CROSS JOIN (SELECT min(a.hour) AS first, max(a.hour) AS last FROM bemi.activity_names a
                  WHERE a.log = $1 AND a.block >= $2 AND a.block < $3) hours
     WHERE g.log = $1 AND g.range = $2::bigint >> 7 AND (g.first_hour, g.last_hour) IS DISTINCT FROM (hours.first, hours.last)
     UNION ALL
    SELECT g.range FROM bemi.activity_ranges g
      JOIN (SELECT range
              FROM (SELECT * FROM bemi.added_names($1, $2::bigint >> 7, ($2::bigint >> 7) + 1)) c
              FULL JOIN (SELECT * FROM bemi.activity_range_names WHERE log = $1 AND range = $2::bigint >> 7) s USING (range, "table")
             WHERE (s.names, s.changes, s.without_context, s.kinds) IS DISTINCT FROM
                   (c.names, c.changes, c.without_context, c.kinds)) sums USING (range)
     WHERE g.log = $1
  ) different`;

/** Sums of ranges that the index does not reach. $1 log, $2 first block, $3 end. */
const strayCounts = `
  SELECT g.range << 17 AS sequence FROM bemi.activity_ranges g
   WHERE g.log = $1 AND (g.range < $2::bigint >> 7 OR g.range >= $3::bigint >> 7) ORDER BY 1 LIMIT 1`;
