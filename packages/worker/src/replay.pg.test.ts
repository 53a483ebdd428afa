import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { effort } from '@bemi-db/test-kit/effort';
import { olderMajors, startOlderPostgres } from '@bemi-db/test-kit/older-server';
import { runRandomWorkload } from '@bemi-db/test-kit/random-workload/run-random-workload';
import { witnessedCounts } from '@bemi-db/test-kit/random-workload/witness';
import { isMarkerRecorded, writeMarker } from '@bemi-db/test-kit/replay-oracle/end-marker';
import { ReplayOracle } from '@bemi-db/test-kit/replay-oracle/replay-oracle';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { createRecordedWorkload, databaseOn, expectFaithfulLog } from '../test/recorded-workload.ts';
import { startWorkerProcess } from '../test/worker-process.ts';
import { createWorker } from './create-worker.ts';

const minutes = 60_000;
/** What the source has done, to be sure that nothing of it was left out of the comparison. */
async function totals(source: pg.ClientBase): Promise<{ transactions: number; changes: number }> {
  const { transactions, changes } = await witnessedCounts(source);
  return { transactions, changes: Object.values(changes).reduce((sum, count) => sum + count, 0) };
}

const settings = { wal_level: 'logical', max_prepared_transactions: '20', max_connections: '60' };
/** The server decodes large transactions, and subtransactions that are undone, by way of its disk. */
const spilling = { ...settings, logical_decoding_work_mem: '64kB' };

test(
  'random clients write, then the worker records: each transaction is one of the log, and every table is rebuilt',
  async () => {
    const seed = testSeed();
    const workload = await createRecordedWorkload(await createDatabase(), await createDatabase());
    const signal = AbortSignal.timeout(effort(3_000, 60_000));
    const counts = await runRandomWorkload({ url: workload.source.url, seed, signal });
    expect(counts, `seed ${seed}`).toMatchObject({ unknown: 0 });
    expect(counts.rolledBackPrepared + counts.committedPrepared, `seed ${seed}`).toBe(counts.prepared);
    expect(await expectFaithfulLog(workload, seed)).toMatchObject(await totals(workload.sourceSql));
    const { rows } = await workload.auditSql.query(
      `SELECT count(*)::int AS ddl FROM bemi.event_log WHERE kind = 'ddl'`,
    );
    expect(rows[0].ddl > 0, `seed ${seed}`).toBe(streamsContext());
  },
  10 * minutes,
);

test(
  'random clients write while the worker runs, and is killed: compared after each round',
  async () => {
    const seed = testSeed();
    const workload = await createRecordedWorkload(await createDatabase(), await createDatabase());
    const { source, sourceSql, auditSql, targets } = workload;
    const oracle = new ReplayOracle();
    for (let round = 0; round < effort(2, 20); round++) {
      const stop = new AbortController();
      const run = runRandomWorkload({ url: source.url, seed: seed + round, signal: stop.signal, clients: 4 });
      const killed = startWorkerProcess(targets);
      await delay(effort(1_500, 4_000));
      killed.kill('SIGKILL');
      await killed.exited;
      stop.abort();
      await run;
      const marker = await writeMarker(sourceSql);
      const worker = startWorkerProcess(targets);
      await expect
        .poll(() => isMarkerRecorded(auditSql, marker).catch(() => false), { timeout: minutes })
        .toBe(true);
      worker.kill('SIGTERM');
      expect(await worker.exited).toBe(0);
      const { transactions } = await witnessedCounts(sourceSql);
      expect(await oracle.compareAndPrune(sourceSql, auditSql), `seed ${seed + round}`).toMatchObject({
        transactions,
        difference: undefined,
      });
    }
  },
  10 * minutes,
);

test(
  'the source is restarted, and crashes, under random clients: what they could not know the log knows',
  async () => {
    const seed = testSeed();
    const server = await startDisposableServer({ settings: spilling });
    try {
      const audit = await createDatabase();
      const source = await databaseOn(server.url(), audit.name);
      const workload = await createRecordedWorkload(source, audit);
      const stop = new AbortController();
      const running = createWorker(workload.targets).run({ signal: stop.signal });
      running.catch(() => undefined); // awaited below
      const run = runRandomWorkload({ url: workload.source.url, seed, signal: stop.signal });
      for (let restart = 0; restart < effort(2, 12); restart++) {
        await delay(effort(700, 3_000));
        await server.restart(restart % 2 === 0 ? 'immediate' : 'fast');
      }
      await delay(500);
      stop.abort();
      const counts = await run;
      await running;
      expect(counts.reconnects, `seed ${seed}`).toBeGreaterThan(5);
      expect(counts.unknownCommitted + counts.unknownRolledBack).toBeLessThanOrEqual(counts.unknown);
      const sourceSql = await source.connect();
      expect(await expectFaithfulLog({ ...workload, sourceSql }, seed)).toMatchObject(
        await totals(sourceSql),
      );
    } finally {
      await server.stop('immediate');
    }
  },
  10 * minutes,
);

test.runIf(effort(0, 1) === 1).each(olderMajors)(
  'the same on PostgreSQL %s, read from a backlog and while it is written',
  async (major) => {
    const seed = testSeed();
    const server = await startOlderPostgres(major, { settings: major >= 13 ? spilling : settings });
    try {
      const audit = await createDatabase();
      const workload = await createRecordedWorkload(await databaseOn(server.url(), audit.name), audit);
      const { url } = workload.source;
      await runRandomWorkload({ url, seed, signal: AbortSignal.timeout(15_000) });
      const stop = new AbortController();
      const running = createWorker(workload.targets).run({ signal: stop.signal });
      running.catch(() => undefined); // awaited below
      await runRandomWorkload({ url, seed: seed + 1, signal: AbortSignal.timeout(15_000) });
      stop.abort();
      await running;
      expect(await expectFaithfulLog(workload, seed)).toMatchObject(await totals(workload.sourceSql));
    } finally {
      await server.stop('immediate');
    }
  },
  10 * minutes,
);
