import type pg from 'pg';

/** What is among the newest entries of a log. */
export interface RecentRecording {
  /** How many changes of each operation. */
  readonly operations: Readonly<Record<string, number>>;
  readonly contexts: number;
  /** Of those, how many have the members that were asked for. */
  readonly withMember: Readonly<Record<string, number>>;
}

/** Counts operations and members of contexts among the newest entries: what it costs depends on how many these are. */
export async function recentRecording(
  client: pg.ClientBase,
  log: number,
  newestEntries: number,
  members: readonly string[],
): Promise<RecentRecording> {
  const first = '(SELECT l.next_sequence - $2::bigint FROM bemi.logs l WHERE l.log = $1)';
  const { rows: operations } = await client.query<{ operation: string; count: number }>(
    `SELECT operation, count(*)::int AS count
       FROM bemi.change_log WHERE log = $1 AND sequence >= ${first} GROUP BY 1`,
    [log, newestEntries],
  );
  const { rows: contexts } = await client.query<{ all: number; counts: number[] }>(
    `SELECT count(*)::int AS all,
            ARRAY[${members.map((_, i) => `count(context ->> $${i + 3}::text)::int`).join(', ')}]::int[] AS counts
       FROM bemi.context_log WHERE log = $1 AND sequence >= ${first} AND context IS NOT NULL`,
    [log, newestEntries, ...members],
  );
  const { all, counts } = contexts[0]!;
  return {
    operations: Object.fromEntries(operations.map(({ operation, count }) => [operation, count])),
    contexts: all,
    withMember: Object.fromEntries(members.map((member, i) => [member, counts[i] ?? 0])),
  };
}
