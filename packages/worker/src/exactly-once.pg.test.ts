import { setTimeout as delay } from 'node:timers/promises';
import { runBank } from '@bemi-db/test-kit/bank-workload';
import { effort } from '@bemi-db/test-kit/effort';
import { expect, test } from 'vitest';
import { createAuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { startWorkerProcess } from '../test/worker-process.ts';

const minutes = 60_000;
const reconnects = effort(20, 200);

test(
  'eight clients while the worker runs: everything is recorded once, and the log rebuilds every table',
  async () => {
    const bank = await createAuditedBank();
    const worker = startWorkerProcess(bank.targets);
    const { counts } = await runBank(bank.source.url, 8, AbortSignal.timeout(effort(2_000, 20_000)));
    worker.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
    await expectWholeLog(bank, counts);
  },
  5 * minutes,
);

test(
  'the worker is killed ten times under load: nothing is lost, doubled or reordered',
  async () => {
    const bank = await createAuditedBank();
    const load = new AbortController();
    const bankRun = runBank(bank.source.url, 8, load.signal, 5);
    for (let kill = 0; kill < 10; kill++) {
      const worker = startWorkerProcess(bank.targets);
      await expect
        .poll(() => worker.lines.some(({ message }) => message === 'Recording'), { timeout: minutes })
        .toBe(true);
      await delay(200 + Math.random() * 800);
      worker.kill('SIGKILL');
      await worker.exited;
    }
    load.abort();
    const { counts } = await bankRun;
    await expectWholeLog(bank, counts);
  },
  5 * minutes,
);

test(
  `${reconnects} reconnects under load: no transaction is skipped or repeated`,
  async () => {
    const bank = await createAuditedBank();
    const worker = startWorkerProcess(bank.targets);
    const load = new AbortController();
    const bankRun = runBank(bank.source.url, 8, load.signal, 10);
    const readSlot = async (): Promise<{ pid: number | null; confirmed: string }> => {
      const { rows } = await bank.sourceSql.query(
        'SELECT active_pid AS pid, confirmed_flush_lsn::text AS confirmed FROM pg_replication_slots WHERE slot_name = $1',
        [bank.slot],
      );
      return rows[0];
    };
    const patience = { timeout: minutes, interval: 5 };
    let confirmed = (await readSlot()).confirmed;
    for (let reconnect = 0; reconnect < reconnects; reconnect++) {
      // It has come back and recorded something; then it is cut off at any moment of its work.
      await expect.poll(async () => (await readSlot()).confirmed, patience).not.toBe(confirmed);
      await delay(Math.random() * 30);
      await bank.sourceSql.query(
        'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1',
        [bank.slot],
      );
      await expect.poll(async () => (await readSlot()).pid, patience).toBeNull();
      confirmed = (await readSlot()).confirmed;
    }
    load.abort();
    const { counts } = await bankRun;
    worker.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
    await expectWholeLog(bank, counts);
  },
  effort(10, 30) * minutes,
);
