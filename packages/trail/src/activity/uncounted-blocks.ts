import type pg from 'pg';
import { blockSequences } from '../partitions.ts';

/** Changes of an hour, a table and a block, counted from the entries. */
export interface CountedHour {
  readonly table: string;
  readonly hour: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
  readonly withoutContext: number;
}

/** A name with its changes, of some hours and tables. */
export interface CountedName {
  readonly name: string;
  readonly changes: number;
  readonly without: number;
  readonly kind: number;
}

/** What the counts in the audit database do not have, as far as it could be counted from the entries. */
export interface Uncounted {
  /** Blocks from this one on have no counts; numbers of blocks. */
  readonly end: string | null;
  readonly hours: readonly CountedHour[];
  readonly names: readonly CountedName[];
  readonly countedTo: string | undefined;
  readonly uncountedEntries: number;
}

export interface UncountedPeriod {
  readonly since: Date;
  readonly until: Date;
  /** Hours are wanted from here on: what is usual is seen before the period. */
  readonly hoursSince: Date;
}

/** Blocks of 1,024 entries that are counted for whoever asks, at most: some 10 ms each. */
const mostBlocks = 12;

/**
 * Counts what is behind the index, and what is to be counted again, where it is little; else says how much is left out.
 *
 * @param tables - their numbers; `undefined` for all.
 */
export async function countUncounted(
  client: pg.ClientBase,
  log: number,
  { since, until, hoursSince }: UncountedPeriod,
  tables: readonly string[] | undefined,
): Promise<Uncounted> {
  const { rows } = await client.query<{ end: string | null; last: string | null; countedTo: string | null }>(
    `SELECT greatest(bemi.indexed_changes(l.log) >> 10,
                     (SELECT t.transaction >> 10 FROM bemi.transaction_log t WHERE t.log = l.log ORDER BY t.sequence LIMIT 1)) AS end,
            (SELECT max(c.sequence) >> 10 FROM bemi.transaction_log c WHERE c.log = l.log) AS last,
            (SELECT to_char(b.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bemi.change_blocks b
              WHERE b.log = l.log AND b.last_at IS NOT NULL ORDER BY b.block DESC LIMIT 1) AS "countedTo"
       FROM bemi.logs l WHERE l.log = $1`,
    [log],
  );
  const { end, last, countedTo } = rows[0]!;
  const behind = last === null ? 0 : Math.max(Number(last) + 1 - Number(end), 0);
  const { rows: holes } = await client.query<{ block: string; hasChanges: boolean }>(
    `SELECT b.block, b.changes_counted AS "hasChanges" FROM bemi.change_blocks b
      WHERE b.log = $1 AND NOT (b.changes_counted AND b.names_counted) AND b.last_at >= $2 AND b.first_at < $3
      ORDER BY b.block DESC LIMIT 100000`,
    [log, hoursSince, until],
  );
  const blocks = new Map<string, boolean>();
  if (behind <= mostBlocks)
    for (let i = 0; i < behind; i++) blocks.set(String(BigInt(end ?? 0) + BigInt(i)), false);
  if (holes.length <= mostBlocks) for (const { block, hasChanges } of holes) blocks.set(block, hasChanges);
  const counted = await countBlocks(client, { log, blocks, since, until, hoursSince, tables });
  const left = holes.length > mostBlocks ? holes.length : 0;
  return {
    ...{ end, ...counted, uncountedEntries: left * blockSequences },
    // Where nothing is indexed yet, nothing is counted.
    countedTo: behind <= mostBlocks ? undefined : (countedTo ?? since.toISOString()),
  };
}

interface BlocksToCount extends UncountedPeriod {
  readonly log: number;
  /** By number: whether their changes are counted, and only names are missing. */
  readonly blocks: ReadonlyMap<string, boolean>;
  readonly tables: readonly string[] | undefined;
}

async function countBlocks(
  client: pg.ClientBase,
  { log, blocks, since, until, hoursSince, tables }: BlocksToCount,
): Promise<Pick<Uncounted, 'hours' | 'names'>> {
  if (blocks.size === 0) return { hours: [], names: [] };
  const { rows } = await client.query<{
    hours: readonly (CountedHour & { readonly block: number })[] | null;
    names: readonly CountedName[] | null;
  }>(
    `WITH tallies AS MATERIALIZED (
       SELECT array_agg(r.tally) AS tallies
         FROM unnest($2::bigint[]) AS wanted(block)
        CROSS JOIN LATERAL bemi.indexed_rows($1, wanted.block, wanted.block + 1) r
        WHERE (r.tally).hour >= $3 AND (r.tally).hour < $4
     )
     SELECT (SELECT json_agg(json_build_object(
                      'block', c.block, 'table', c."table"::text, 'hour', extract(epoch FROM c.hour) * 1000,
                      'inserts', c.inserts, 'updates', c.updates, 'deletes', c.deletes, 'truncates', c.truncates,
                      'withoutContext', c.without_context))
               FROM tallies t CROSS JOIN LATERAL bemi.counted_changes(t.tallies) c
              WHERE $5::bigint[] IS NULL OR c."table" = ANY ($5)) AS hours,
            (SELECT json_agg(json_build_object('name', n.name, 'changes', n.changes, 'without', n.without, 'kind', n.kind))
               FROM tallies t CROSS JOIN LATERAL bemi.counted_names(t.tallies) c
              CROSS JOIN LATERAL unnest(c.names, c.changes, c.without_context, c.kinds) AS n(name, changes, without, kind)
              WHERE c.hour >= $6 AND ($5::bigint[] IS NULL OR c."table" = ANY ($5))) AS names`,
    [log, [...blocks.keys()], hoursSince, until, tables ?? null, since],
  );
  const { hours, names } = rows[0]!;
  return { hours: (hours ?? []).filter(({ block }) => !blocks.get(String(block))), names: names ?? [] };
}
