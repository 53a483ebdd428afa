import { reloadSettings } from '@bemi-db/test-kit/reload';
import { expect } from 'vitest';
import { changeSetting, type Fault, restartWorker, runSql } from './fault.ts';

/** Of a worker that is away, and of what the source keeps for it meanwhile. */
export const workerFaults: readonly Fault[] = [
  {
    id: 'probe',
    verdict: 'failure',
    besides: ['worker', 'captured'],
    isProbing: true,
    make: ({ stopWorker }) => stopWorker(),
    cure: restartWorker,
  },
  {
    id: 'worker',
    verdict: 'failure',
    besides: ['lag', 'retained-wal'],
    environment: { BEMI_RETAINED_WAL_BYTES: '1048576', BEMI_HEALTHY_LAG_BYTES: '102400' },
    make: async ({ source, stopWorker }) => {
      await stopWorker();
      await source.query(
        `SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000)) FROM generate_series(1, 1500)`,
      );
    },
    cure: restartWorker,
  },
  {
    id: 'slot-health',
    besides: ['worker', 'slot-limit'],
    make: async (clinic) => {
      await clinic.stopWorker();
      await changeSetting(clinic, 'max_slot_wal_keep_size', '16MB');
      // Each begins a segment of 16 MB, and next to nothing is written.
      for (let segment = 0; segment < 3; segment++) {
        await clinic.source.query(`SELECT pg_logical_emit_message(false, 'noise', ''), pg_switch_wal()`);
      }
    },
    environment: { BEMI_HEALTHY_LAG_BYTES: '1000000000' },
    cure: async (finding, clinic) => {
      // By its SQL alone nothing is lost any more, while the worker is still away.
      await reloadSettings(clinic.server.url(), () => runSql(finding, clinic));
      await clinic.source.query('CHECKPOINT');
      const found = await clinic.look();
      expect(found.find(({ id }) => id === 'slot-health')).toMatchObject({
        verdict: 'ok',
        evidence: expect.stringMatching(/^reserved, \d+ bytes of WAL until it is lost$/),
      });
      await runSql(found.find(({ id }) => id === 'slot-limit')!, clinic);
      await restartWorker(finding, clinic);
    },
  },
  {
    id: 'worker',
    verdict: 'failure',
    besides: ['lag'],
    // More is kept than WAL may take between checkpoints: no fault of the slot's.
    make: async (clinic) => {
      const { source, look } = clinic;
      await clinic.stopWorker();
      await changeSetting(clinic, 'max_wal_size', '32MB');
      for (let segment = 0; segment < 5; segment++) {
        await source.query(`SELECT pg_logical_emit_message(false, 'noise', ''), pg_switch_wal()`);
      }
      expect((await look()).find(({ id }) => id === 'slot-health')).toMatchObject({
        verdict: 'ok',
        evidence: expect.stringMatching(/^extended, \d+ bytes of WAL until it is lost$/),
      });
      await source.query('ALTER SYSTEM RESET max_wal_size');
      await source.query('SELECT pg_reload_conf()');
    },
    cure: restartWorker,
  },
];
