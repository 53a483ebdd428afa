import type pg from 'pg';

/** How many transactions of a generation are recorded from one position of their commit on, up to another. */
export async function countTransactions(
  client: pg.ClientBase,
  log: number,
  generation: number,
  fromLsn: string,
  toLsn: string,
): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM bemi.transaction_log
      WHERE log = $1 AND generation = $2 AND commit_lsn >= $3::pg_lsn AND commit_lsn <= $4::pg_lsn`,
    [log, generation, fromLsn, toLsn],
  );
  return Number(rows[0]?.count);
}
