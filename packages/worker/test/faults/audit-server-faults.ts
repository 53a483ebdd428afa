import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect } from 'vitest';
import { away, queryAt } from '../fault-scene.ts';
import type { Fault } from './fault.ts';

const patience = { timeout: 60_000, interval: 20 };

/** What happens to the audit database's server. */
export const auditServerFaults: readonly Fault[] = [
  ...(['fast', 'immediate', 'kill'] as const).map(
    (mode): Fault => ({
      fault: {
        fast: 'audit server stopped in order, and started again',
        immediate: 'audit server crashes (immediate stop), and starts again',
        kill: 'audit server killed (SIGKILL of all its processes), and started again',
      }[mode],
      how: 'while the worker writes; it stays away for a while',
      outcome: 'recovers',
      isLong: mode === 'immediate',
      scene: { audit: 'server' },
      async inflict({ audit, interrupted }) {
        await audit.server.stop(mode);
        await interrupted();
        await away();
        await audit.server.start();
      },
    }),
  ),
  {
    fault: 'audit database read-only',
    how: 'default_transaction_read_only = on by ALTER SYSTEM and a reload, and off again',
    outcome: 'recovers',
    scene: { audit: 'server' },
    async inflict({ audit, interrupted, worker }) {
      const admin = new pg.Client(audit.server.url());
      await admin.connect();
      await admin.query('SET default_transaction_read_only = off');
      await admin.query('ALTER SYSTEM SET default_transaction_read_only = on');
      await admin.query('SELECT pg_reload_conf()');
      await interrupted();
      await expect.poll(() => worker.status().problem?.code, patience).toBe('primary');
      await admin.query('ALTER SYSTEM RESET default_transaction_read_only');
      await admin.query('SELECT pg_reload_conf()');
      await admin.end();
    },
  },
  {
    fault: "audit log's table locked by somebody",
    how: 'ACCESS EXCLUSIVE on bemi.change_log for five times as long as a silent connection may live',
    outcome: 'recovers',
    async inflict({ audit, worker }) {
      const other = new pg.Client(audit.url());
      await other.connect();
      await other.query('BEGIN; LOCK TABLE bemi.change_log IN ACCESS EXCLUSIVE MODE');
      await delay(6_000);
      await other.query('COMMIT');
      await other.end();
      // Waiting for a lock is no reason to cut a connection.
      expect(worker.status().restarts).toBe(0);
    },
  },
  {
    fault: 'audit inbox locked by somebody, and the source cuts the connection meanwhile',
    how: 'ACCESS EXCLUSIVE on bemi.inbox; pg_terminate_backend of the walsender',
    outcome: 'recovers',
    async inflict({ audit, source, slot, worker }) {
      const other = new pg.Client(audit.url());
      await other.connect();
      await other.query('BEGIN; LOCK TABLE bemi.inbox IN ACCESS EXCLUSIVE MODE');
      await audit.query(`SELECT pg_notify('bemi_inbox', '0')`);
      await delay(300);
      await source.query(
        'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1',
        [slot],
      );
      // The upkeep that waits does not keep the worker from starting over.
      await expect.poll(() => worker.status().restarts, { timeout: 10_000, interval: 20 }).toBeGreaterThan(0);
      await other.query('COMMIT');
      await other.end();
    },
  },
  ...(['writer', 'upkeep', 'publication'] as const).map(
    (purpose): Fault => ({
      fault: `audit connection ended by somebody: ${purpose}`,
      how: 'pg_terminate_backend',
      outcome: 'recovers',
      async inflict({ audit, worker }) {
        await audit.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = $1`,
          [`bemi worker: ${purpose}`],
        );
        await expect.poll(() => worker.status().restarts, patience).toBe(1);
      },
    }),
  ),
  {
    fault: "worker's password on the audit server changed while it runs",
    how: 'ALTER ROLE … PASSWORD, connections ended; the worker is started again with the new one',
    outcome: 'recovers',
    scene: { audit: 'server' },
    async inflict(scene) {
      const { audit, worker } = scene;
      const unlike = (url: string, password: string): string => {
        const changed = new URL(url);
        changed.password = password;
        return changed.href;
      };
      await queryAt(audit.server.url(), `ALTER ROLE postgres PASSWORD 'changed'`);
      const admin = unlike(audit.url(), 'changed');
      await queryAt(
        admin,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'bemi worker%'`,
      );
      await expect.poll(() => worker.status().problem?.code, patience).toBe('password');
      expect(worker.status().state).toBe('waiting');
      await scene.stopWorker();
      scene.startWorker({ destination: admin });
      await scene.recording();
      await queryAt(admin, `ALTER ROLE postgres PASSWORD 'postgres'`);
    },
  },
];
