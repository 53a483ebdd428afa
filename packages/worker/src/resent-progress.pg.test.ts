import { expect, test } from 'vitest';
import { createAuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { createWorker } from './create-worker.ts';

test('a slot that is far behind follows what comes again, also when no session lives long enough to read it all', async () => {
  const bank = await createAuditedBank();
  const { sourceSql, slot, targets } = bank;
  const behind = `${slot}_behind`;
  await sourceSql.query('SELECT pg_copy_logical_replication_slot($1, $2)', [slot, behind]);
  const position = async (): Promise<{ isMoved: boolean; isPast: boolean }> => {
    const { rows } = await sourceSql.query(
      `SELECT confirmed_flush_lsn > $2::pg_lsn AS "isMoved", confirmed_flush_lsn > $3::pg_lsn AS "isPast"
         FROM pg_replication_slots WHERE slot_name = $1`,
      [behind, beforeHalf, half],
    );
    return rows[0];
  };
  const now = async (): Promise<string> =>
    (await sourceSql.query('SELECT pg_current_wal_insert_lsn()::text AS lsn')).rows[0].lsn;
  for (let n = 0; n < 50; n++) await sourceSql.query('UPDATE account SET balance = $1 WHERE id = 1', [n]);
  const beforeHalf = await now();
  await sourceSql.query('UPDATE account SET balance = -1 WHERE id = 1');
  const half = await now();
  // The second half needs another table: there the session ends, each time.
  for (let n = 0; n < 50; n++) await sourceSql.query(`INSERT INTO bulk (text) VALUES ('x')`);
  await createWorker(targets).run({ drain: true });

  let lookUps = 0;
  const stop = new AbortController();
  const worker = createWorker({
    ...targets,
    slot: behind,
    failpoint: (name) => {
      if (name === 'open:before') lookUps = 0;
      if (name !== 'look-up:before') return;
      lookUps++;
      // Of account, teller and bulk; from the second session on bulk is the first.
      if (lookUps > 2 || worker.status().restarts > 0)
        throw Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' });
    },
  });
  const running = worker.run({ signal: stop.signal });
  await expect.poll(position, { timeout: 30_000 }).toEqual({ isMoved: true, isPast: false });
  stop.abort();
  await running;
  await createWorker({ ...targets, slot: behind }).run({ drain: true });
  await expectWholeLog(bank);
});
