import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, vi } from 'vitest';
import type { Fault } from './fault.ts';

const patience = { timeout: 60_000, interval: 20 };
const yearMs = 366 * 24 * 3_600_000;

/** Clocks that are wrong, and jump. Positions and sequences order the log; no time does. */
export const clockFaults: readonly Fault[] = [
  {
    fault: 'worker’s clock set back and far ahead while it records',
    how: 'by ten years, twice each way, with alive events in between',
    outcome: 'recovers',
    async inflict({ worker, audit }) {
      const now = Date.now();
      onTestFinished(() => {
        vi.useRealTimers();
      });
      for (const years of [-10, 10, -10, 10]) {
        vi.useFakeTimers({ toFake: ['Date'], now: now + years * yearMs });
        const { transactions } = worker.status();
        await expect.poll(() => worker.status().transactions, patience).toBeGreaterThan(transactions + 10);
        await delay(600); // an alive event, and a checkpoint that is published
      }
      vi.useRealTimers();
      const [row] = await audit.query(
        `SELECT max(recorded_at) - min(recorded_at) > interval '19 years' AS "hasJumped" FROM bemi.transaction_log`,
      );
      expect(row!['hasJumped']).toBe(true);
      expect(worker.status().restarts).toBe(0);
    },
  },
  {
    fault: 'source’s clock set back and far ahead while it commits',
    how: 'commits that bear times of thirty years ago and ahead (pg_replication_origin_xact_setup)',
    outcome: 'recovers',
    async inflict({ source, audit, slot }) {
      const client = new pg.Client(source.url());
      await client.connect();
      const origin = `${slot}_clock`;
      await client.query('SELECT pg_replication_origin_create($1)', [origin]);
      await client.query('SELECT pg_replication_origin_session_setup($1)', [origin]);
      try {
        for (let commit = 0; commit < 20; commit++) {
          const years = commit % 2 === 0 ? 30 : -30;
          await client.query('BEGIN');
          await client.query(`SELECT pg_replication_origin_xact_setup('0/1', now() + $1::interval)`, [
            `${years} years`,
          ]);
          await client.query(`INSERT INTO bulk (text) VALUES ('by a wrong clock')`);
          await client.query('COMMIT');
        }
      } finally {
        await client.query('SELECT pg_replication_origin_session_reset()');
        await client.query('SELECT pg_replication_origin_drop($1)', [origin]);
        await client.end();
      }
      const ofWrongClock = async (): Promise<unknown> => {
        const [row] = await audit.query(
          `SELECT count(*)::integer AS n FROM bemi.transaction_log
            WHERE abs(extract(epoch FROM committed_at - now())) > 29 * 366 * 86400.0`,
        );
        return row!['n'];
      };
      await expect.poll(ofWrongClock, patience).toBe(20);
    },
  },
];
