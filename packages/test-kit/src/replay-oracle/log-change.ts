import type pg from 'pg';

/** A change as the log shows it; rows are texts that `jsonb` printed, so equal rows are equal texts. */
export interface LogChange {
  readonly sequence: string;
  /** Sequence of its transaction's first entry. */
  readonly transaction: string;
  readonly xid: string;
  /** Of the table itself; of a partition, not of its root. */
  readonly oid: number;
  /** Number of the table's shape. */
  readonly relation: string;
  readonly schema: string;
  readonly table: string;
  readonly operation: string;
  readonly beforeKind: string;
  readonly primaryKey: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly context: string | null;
}

const pageSize = 2_000;

/** From the view that people query, and from the stored tables what it doesn't show. */
function selectChanges(log: number, condition: string): string {
  return `SELECT c.sequence, c.transaction, v.transaction_id AS xid, r.oid::float8 AS oid, c.relation,
                 v.schema, v."table", v.operation, c.before_kind AS "beforeKind", v.primary_key AS "primaryKey",
                 v.before::text, v.after::text, v.context::text
            FROM bemi.changes v
            JOIN bemi.change_log c ON c.sequence = v.id AND c.log = ${log}
            JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
           WHERE ${condition} ORDER BY v.id`;
}

/**
 * The changes of a log after a sequence, in its order, in pages. One pass by a cursor: pages by sequence would join the
 * rest again and again. The client is in a transaction meanwhile.
 */
export async function* readLogChanges(
  audit: pg.ClientBase,
  log: number,
  afterSequence: string,
): AsyncGenerator<readonly LogChange[]> {
  await audit.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    // Tables that have just grown have old statistics, and nested loops are chosen that take minutes.
    await audit.query('SET LOCAL enable_nestloop = off; SET LOCAL cursor_tuple_fraction = 1');
    await audit.query(
      `DECLARE log_changes NO SCROLL CURSOR FOR ${selectChanges(log, `v.id > ${BigInt(afterSequence)}`)}`,
    );
    for (;;) {
      const { rows } = await audit.query<LogChange>(`FETCH ${pageSize} FROM log_changes`);
      if (rows.length === 0) break;
      yield rows;
    }
  } finally {
    await audit.query('ROLLBACK');
  }
}

/** The changes of one transaction, known by the sequence of its first entry. */
export async function readLogTransaction(
  audit: pg.ClientBase,
  log: number,
  transaction: string,
): Promise<LogChange[]> {
  const { rows } = await audit.query<LogChange>(selectChanges(log, `c.transaction = ${BigInt(transaction)}`));
  return rows;
}

/** A transaction of the log that has such a row in a table, other than this one. */
export async function otherTransactionWith(
  audit: pg.ClientBase,
  log: number,
  change: Pick<LogChange, 'xid' | 'oid' | 'operation' | 'before' | 'after'>,
): Promise<string | undefined> {
  const { rows } = await audit.query<{ xid: string }>(
    `SELECT v.transaction_id AS xid FROM bemi.changes v
       JOIN bemi.change_log c ON c.sequence = v.id AND c.log = $1
       JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
      WHERE r.oid = $2 AND v.operation = $3 AND v.transaction_id <> $4
        AND v.before IS NOT DISTINCT FROM $5::jsonb AND v.after IS NOT DISTINCT FROM $6::jsonb LIMIT 1`,
    [log, change.oid, change.operation, change.xid, change.before, change.after],
  );
  return rows[0]?.xid;
}
