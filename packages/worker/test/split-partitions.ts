import type pg from 'pg';

const parents = ['change_log', 'context_log', 'change_index', 'transaction_log', 'event_log'];

/**
 * Gives a log that has one range of partitions many small ones, as it would have after millions of entries.
 *
 * @param length - of each, a multiple of 256.
 * @param size - entries that the log has; what comes later goes into one large partition.
 */
export async function splitPartitions(
  client: pg.Client,
  log: number,
  length: number,
  size: number,
): Promise<void> {
  await client.query('BEGIN');
  for (const parent of parents) {
    const name = `bemi.${parent}_${log}`;
    const { rows } = await client.query<{ child: string; to: string }>(
      `SELECT c.relname AS child, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''(\\d+)''\\)') AS "to"
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass`,
      [name],
    );
    const { child, to } = rows[0]!;
    await client.query(
      `ALTER TABLE ${name} DETACH PARTITION bemi.${child}; ALTER TABLE bemi.${child} RENAME TO whole`,
    );
    for (let from = 0; from < Number(to); from = Math.min(from + length, Number(to))) {
      const end = from > size ? Number(to) : from + length;
      await client.query(
        `CREATE TABLE ${name}_${from} (LIKE bemi.${parent} INCLUDING DEFAULTS);
         ALTER TABLE ${name} ATTACH PARTITION ${name}_${from} FOR VALUES FROM (${from}) TO (${end})`,
      );
      if (parent !== 'change_index') await client.query(`SELECT bemi.guard_partition('${name}_${from}')`);
      if (end === Number(to)) break;
    }
    await client.query(`INSERT INTO ${name} SELECT * FROM bemi.whole; DROP TABLE bemi.whole`);
  }
  await client.query('COMMIT');
}
