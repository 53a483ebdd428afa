import { expect } from 'vitest';
import type { FaultScene } from '../fault-scene.ts';
import type { Fault } from './fault.ts';
import { stealSlot } from './steal-slot.ts';

const patience = { timeout: 60_000, interval: 20 };

/** What others do to the slot. The worker is away meanwhile, unless it says otherwise. */
export const slotFaults: readonly Fault[] = [
  {
    fault: 'slot dropped',
    how: 'pg_drop_replication_slot',
    outcome: 'refuses slot-missing',
    async inflict(scene) {
      await scene.stopWorker();
      await scene.source.query('SELECT pg_drop_replication_slot($1)', [scene.slot]);
      scene.startWorker();
    },
  },
  {
    fault: 'slot dropped, and made again under its name',
    how: 'pg_drop_replication_slot, pg_create_logical_replication_slot',
    outcome: 'refuses slot-ahead',
    async inflict(scene) {
      await scene.stopWorker();
      await scene.source.query('SELECT pg_drop_replication_slot($1)', [scene.slot]);
      await writeSome(scene);
      await scene.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [scene.slot]);
      scene.startWorker();
    },
  },
  {
    fault: 'slot advanced by hand',
    how: 'pg_replication_slot_advance',
    outcome: 'refuses slot-ahead',
    async inflict(scene) {
      await scene.stopWorker();
      await writeSome(scene);
      await scene.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [scene.slot]);
      scene.startWorker();
    },
  },
  {
    fault: 'slot taken by another client, who reads from it',
    how: 'while the worker runs: its walsender is ended, and another client streams and confirms what it got',
    outcome: 'refuses slot-ahead',
    async inflict(scene) {
      const thief = await stealSlot(scene);
      await expect.poll(() => scene.worker.status().problem?.code, patience).toBe('slot-in-use');
      await writeSome(scene);
      const [row] = await scene.source.query('SELECT pg_current_wal_lsn()::text AS lsn');
      await thief.confirm(String(row!['lsn']));
      thief.end();
    },
  },
  {
    fault: 'slot invalidated by max_slot_wal_keep_size',
    how: 'a limit of 1 MB, and 80 MB of WAL while the worker is away',
    outcome: 'refuses slot-lost',
    scene: { source: 'server', sourceSettings: { max_slot_wal_keep_size: '1MB' } },
    async inflict(scene) {
      await scene.stopWorker();
      await scene.pauseLoad();
      for (let segment = 0; segment < 5; segment++) {
        await writeSome(scene);
        await scene.source.query('SELECT pg_switch_wal()');
      }
      await scene.source.query('CHECKPOINT');
      scene.startWorker();
    },
  },
];

async function writeSome({ source }: FaultScene): Promise<void> {
  await source.query(`INSERT INTO bulk (text) SELECT 'more' FROM generate_series(1, 100)`);
}
