import type pg from 'pg';
import { nextPartitionRange } from './partition-plan.ts';

/** Makes partitions ahead of the writer. Call it often: it does nothing while there is room. Returns where room ends. */
export async function extendPartitions(
  client: pg.ClientBase,
  log: number,
  nextSequence: number,
): Promise<number> {
  for (;;) {
    const { rows } = await client.query<{ coveredTo: string; keptFrom: string; totalBytes: string }>(
      `SELECT coalesce(max(bound.upper), 0)::text AS "coveredTo",
              coalesce(min(bound.lower) FILTER (WHERE i.inhparent = to_regclass($1)), 0)::text AS "keptFrom",
              coalesce(sum(pg_total_relation_size(leaf.oid)), 0)::text AS "totalBytes"
         FROM pg_inherits i
         JOIN pg_class leaf ON leaf.oid = i.inhrelid,
              LATERAL (SELECT substring(text FROM 'FROM \\(''(\\d+)''\\)')::bigint AS lower,
                              substring(text FROM 'TO \\(''(\\d+)''\\)')::bigint AS upper
                         FROM pg_get_expr(leaf.relpartbound, leaf.oid) AS text) bound
        WHERE i.inhparent = ANY (ARRAY[to_regclass($1), to_regclass($2), to_regclass($3), to_regclass($4)])`,
      ['change_log', 'context_log', 'transaction_log', 'event_log'].map((table) => `bemi.${table}_${log}`),
    );
    const coveredTo = Number(rows[0]?.coveredTo);
    const keptFrom = Number(rows[0]?.keptFrom);
    const totalBytes = Number(rows[0]?.totalBytes);
    const range = nextPartitionRange({ nextSequence, coveredTo, keptFrom, totalBytes });
    if (!range) return coveredTo;
    await client.query('SELECT bemi.create_partitions($1, $2, $3)', [log, range.from, range.to]);
  }
}

/** Sequences of a block of the index of changes: what is put there at once at the least. */
export const blockSequences = 1_024;

/**
 * Puts changes into the index that searches use, oldest first, in whole blocks.
 * @returns whether it has caught up with the log.
 */
export async function indexChanges(client: pg.ClientBase, log: number, maxBlocks: number): Promise<boolean> {
  const { rows } = await client.query<{ blocks: number }>('SELECT bemi.index_changes($1, $2) AS blocks', [
    log,
    maxBlocks,
  ]);
  return (rows[0]?.blocks ?? 0) < maxBlocks;
}

/** How far the index of a log reaches. */
export interface IndexProgress {
  readonly log: number;
  /** Entries that are in it. */
  readonly indexed: number;
  /** Those that can be: whole blocks. */
  readonly end: number;
}

/** @returns `undefined` where there is no such log. */
export async function readIndexProgress(
  client: pg.ClientBase,
  name: string,
): Promise<IndexProgress | undefined> {
  const { rows } = await client.query<{ log: number; indexed: string; next: string }>(
    'SELECT l.log, bemi.indexed_changes(l.log) AS indexed, l.next_sequence AS next FROM bemi.logs l WHERE l.name = $1',
    [name],
  );
  const row = rows[0];
  if (!row) return undefined;
  const { log, indexed, next } = row;
  return { log, indexed: Number(indexed), end: Number(next) - (Number(next) % blockSequences) };
}

/**
 * Counts what an older version has indexed, and what has to be counted again because names in it were erased.
 * @returns whether nothing is left.
 */
export async function countChanges(client: pg.ClientBase, log: number, maxBlocks: number): Promise<boolean> {
  const { rows } = await client.query<{ blocks: number }>('SELECT bemi.count_changes($1, $2) AS blocks', [
    log,
    maxBlocks,
  ]);
  return (rows[0]?.blocks ?? 0) < maxBlocks;
}
