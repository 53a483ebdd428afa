import type pg from 'pg';
import { type PartitionFacts, type RetentionPlan, retentionPlan } from './retention-plan.ts';

export interface RetentionBounds {
  /** How many partitions. */
  readonly most?: number;
  /** None that ends behind this sequence. */
  readonly until?: number;
}

/** What may be dropped of a log, read from what is stored. Looks at every transaction of the partitions in question. */
export async function planRetention(
  client: pg.ClientBase,
  log: number,
  olderThan: Date,
  { most = Number.POSITIVE_INFINITY, until = Number.POSITIVE_INFINITY }: RetentionBounds = {},
): Promise<RetentionPlan | undefined> {
  const lastTransaction = await readLastTransaction(client, log);
  if (lastTransaction === undefined) return undefined;
  const partitions: PartitionFacts[] = [];
  for (const { from, to } of await readRanges(client, log)) {
    if (to > lastTransaction || to > until || partitions.length >= most) break;
    if (await endsAfter(client, log, from, to, olderThan)) break;
    const facts = await readPartition(client, log, from, to);
    partitions.push(facts);
    if (facts.youngest !== undefined && facts.youngest >= olderThan) break;
  }
  return retentionPlan(partitions, olderThan, lastTransaction);
}

async function readLastTransaction(client: pg.ClientBase, log: number): Promise<number | undefined> {
  const { rows } = await client.query<{ transaction: string }>(
    'SELECT transaction FROM bemi.transaction_log WHERE log = $1 ORDER BY sequence DESC LIMIT 1',
    [log],
  );
  return rows[0] && Number(rows[0].transaction);
}

/** The ranges that still have a partition of transactions, in ascending order. */
async function readRanges(client: pg.ClientBase, log: number): Promise<{ from: number; to: number }[]> {
  const { rows } = await client.query<{ from: string; to: string }>(
    `SELECT substring(bound FROM 'FROM \\(''(\\d+)''\\)') AS "from", substring(bound FROM 'TO \\(''(\\d+)''\\)') AS "to"
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
            LATERAL pg_get_expr(c.relpartbound, c.oid) AS bound
      WHERE i.inhparent = to_regclass($1)`,
    [`bemi.transaction_log_${log}`],
  );
  return rows.map((row) => ({ from: Number(row.from), to: Number(row.to) })).sort((a, b) => a.from - b.from);
}

/** Whether its last transaction is young: of a partition that has not expired, nothing else need be read, mostly. */
async function endsAfter(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
  moment: Date,
): Promise<boolean> {
  const { rows } = await client.query<{ isAfter: boolean }>(
    `SELECT greatest(committed_at, recorded_at) >= $4 AS "isAfter" FROM bemi.transaction_log
      WHERE log = $1 AND sequence >= $2 AND sequence < $3 ORDER BY sequence DESC LIMIT 1`,
    [log, from, to, moment],
  );
  return rows[0]?.isAfter ?? false;
}

/** A transaction that ends in a later partition has entries in this one too: it counts here as it counts there. */
async function readPartition(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
): Promise<PartitionFacts> {
  const { rows } = await client.query<{
    transactions: string;
    changes: string | null;
    youngest: Date | null;
  }>(
    `SELECT count(*) FILTER (WHERE sequence < $3) AS transactions, sum(change_count) FILTER (WHERE sequence < $3) AS changes,
            max(greatest(committed_at, recorded_at)) AS youngest
       FROM (SELECT * FROM bemi.transaction_log WHERE log = $1 AND sequence >= $2 AND sequence < $3
             UNION ALL
             SELECT * FROM (SELECT * FROM bemi.transaction_log WHERE log = $1 AND sequence >= $3 ORDER BY sequence LIMIT 1) next
              WHERE transaction < $3) concerned`,
    [log, from, to],
  );
  const { transactions, changes, youngest } = rows[0]!;
  return {
    from,
    to,
    transactions: Number(transactions),
    changes: Number(changes ?? 0),
    youngest: youngest ?? undefined,
  };
}

/**
 * Whether nobody reads what would be dropped: dropping waits for readers, and all others wait behind it.
 */
export async function mayDropNow(client: pg.ClientBase, log: number): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>('SELECT bemi.may_drop($1) AS may', [log]);
  return rows[0]!.may;
}
