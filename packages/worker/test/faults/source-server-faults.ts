import { expect } from 'vitest';
import { away, queryAt } from '../fault-scene.ts';
import type { Fault } from './fault.ts';
import { endWalsender, stealSlot } from './steal-slot.ts';

const patience = { timeout: 60_000, interval: 20 };

/** What happens to the source's server. */
export const sourceServerFaults: readonly Fault[] = [
  ...(['fast', 'immediate', 'kill'] as const).map(
    (mode): Fault => ({
      fault: {
        fast: 'source server stopped in order, and started again',
        immediate: 'source server crashes (immediate stop), and starts again',
        kill: 'source server killed (SIGKILL of all its processes), and started again',
      }[mode],
      how: 'while the application writes; it stays away for a while',
      outcome: 'recovers',
      isLong: mode === 'immediate',
      scene: { source: 'server' },
      async inflict({ source, interrupted }) {
        await source.server.stop(mode);
        await interrupted();
        await away();
        await source.server.start();
      },
    }),
  ),
  {
    fault: 'source ends the replication connection',
    how: 'pg_terminate_backend of the walsender, five times',
    outcome: 'recovers',
    async inflict(scene) {
      for (let time = 1; time <= 5; time++) {
        await scene.recording();
        await endWalsender(scene);
        await expect.poll(() => scene.worker.status().restarts, patience).toBeGreaterThanOrEqual(time);
      }
    },
  },
  {
    fault: 'source ends the connection for the catalog',
    how: 'pg_terminate_backend',
    outcome: 'recovers',
    async inflict({ source, worker }) {
      await source.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'bemi worker: catalog'`,
      );
      await expect.poll(() => worker.status().restarts, patience).toBe(1);
    },
  },
  {
    fault: "worker's password on the source changed while it runs",
    how: 'ALTER ROLE … PASSWORD, connections ended; the worker is started again with the new one',
    outcome: 'recovers',
    scene: { source: 'server' },
    async inflict(scene) {
      const { source, worker } = scene;
      const changed = (url: string): string => {
        const other = new URL(url);
        other.password = 'changed';
        return other.href;
      };
      await queryAt(source.server.url(), `ALTER ROLE postgres PASSWORD 'changed'`);
      await queryAt(
        changed(source.url()),
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'bemi worker%'`,
      );
      await expect.poll(() => worker.status().problem?.code, patience).toBe('password');
      expect(worker.status().state).toBe('waiting');
      await scene.stopWorker();
      scene.startWorker({ source: changed(source.url()) });
      await scene.recording();
      await queryAt(changed(source.url()), `ALTER ROLE postgres PASSWORD 'postgres'`);
    },
  },
  {
    fault: 'slot taken by another client, and given back unread',
    how: 'the walsender is ended, and another one streams from the slot without confirming (SQLSTATE 55006)',
    outcome: 'recovers',
    async inflict(scene) {
      const thief = await stealSlot(scene);
      await expect.poll(() => scene.worker.status().problem?.code, patience).toBe('slot-in-use');
      thief.end();
    },
  },
  {
    fault: 'two workers on one log',
    how: 'a second one is started beside the first, and waits; then the writer’s connection is ended',
    outcome: 'recovers',
    async inflict(scene) {
      const first = scene.worker;
      const { worker: second, stop } = scene.startSecondWorker();
      await expect.poll(() => second.status().problem?.code, patience).toBe('log-in-use');
      expect(first.status().state).toBe('recording');
      await scene.audit.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'bemi worker: writer'
            AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)`,
      );
      // Whichever is first has it, and the other one waits.
      const isSettled = () =>
        [first, second].filter((worker) => worker.status().state === 'recording').length === 1;
      await expect.poll(isSettled, patience).toBe(true);
      await stop();
    },
  },
];
