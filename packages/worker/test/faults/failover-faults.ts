import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnServer } from '@bemi-db/test-kit/own-server';
import { expect } from 'vitest';
import { type FaultScene, queryAt } from '../fault-scene.ts';
import type { Fault } from './fault.ts';
import { copyOf, isPastLog } from './restored-source-faults.ts';

const patience = { timeout: 60_000, interval: 50 };
const failoverSlot = `SELECT pg_create_logical_replication_slot($1, 'pgoutput', false, false, true)`;

/** The primary is killed, and a standby takes its place: under its address, on the next timeline. */
export const failoverFaults: readonly Fault[] = [
  {
    fault: 'failed over to a standby that has the slot',
    how: 'a failover slot that the standby synchronizes, synchronized_standby_slots on the primary (PostgreSQL 17 and later); the primary is killed under load',
    outcome: 'recovers',
    isLong: true,
    scene: { source: 'server', isSourceMovable: true, createSlot: failoverSlot },
    async inflict(scene) {
      const standby = await startStandby(scene, { synchronized_standby_slots: 'standby' });
      await slotIsSynchronized(scene, standby);
      await failOver(scene, standby);
      await scene.recording();
      const events = await scene.audit.query(
        `SELECT payload->>'toTimeline' AS timeline FROM bemi.event_log WHERE kind = 'lineage'`,
      );
      expect(events).toEqual([{ timeline: '2' }]);
    },
  },
  {
    fault: 'failed over to a standby without the slot',
    how: 'an ordinary slot, which standbys do not have',
    outcome: 'refuses slot-missing',
    scene: { source: 'server', isSourceMovable: true },
    async inflict(scene) {
      const standby = await startStandby(scene);
      await scene.caughtUp();
      await failOver(scene, standby);
    },
  },
  {
    fault: 'failed over to a standby without the slot, which is made there by hand',
    how: 'after the promotion and some writes',
    outcome: 'refuses slot-ahead',
    scene: { source: 'server', isSourceMovable: true },
    async inflict(scene) {
      const standby = await startStandby(scene);
      await scene.stopWorker();
      await failOver(scene, standby);
      await scene.pauseLoad();
      await scene.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [scene.slot]);
      scene.startWorker();
    },
  },
  {
    fault: 'failed over to a standby that lacks what the log has',
    how: 'the standby has the slot, but stops receiving before the primary is killed, which does not wait for it',
    outcome: 'refuses other-timeline',
    isLong: true,
    scene: { source: 'server', isSourceMovable: true, createSlot: failoverSlot },
    async inflict(scene) {
      const standby = await startStandby(scene);
      await slotIsSynchronized(scene, standby);
      await standby.stop('fast');
      const { transactions } = scene.worker.status();
      await expect
        .poll(() => scene.worker.status().transactions, patience)
        .toBeGreaterThan(transactions + 20);
      await scene.caughtUp();
      await scene.stopWorker();
      await scene.source.server.stop('kill');
      await standby.start();
      await promote(scene, standby);
      await scene.pauseLoad();
      while (!(await isPastLog(scene))) {
        await scene.source.query(`INSERT INTO bulk (text) SELECT 'again' FROM generate_series(1, 50)`);
      }
      scene.startWorker();
    },
  },
];

/** A streaming standby of the source, and the load and the worker going on. */
async function startStandby(
  scene: FaultScene,
  onPrimary: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const copy = await copyOf(scene);
  writeFileSync(join(copy, 'standby.signal'), '');
  // As pg_basebackup does: a copy has none of the slots.
  const slots = join(copy, 'pg_replslot');
  for (const name of readdirSync(slots)) rmSync(join(slots, name), { recursive: true });
  const { server } = scene.source;
  await queryAt(server.url(), `SELECT pg_create_physical_replication_slot('standby', true)`);
  for (const [name, value] of Object.entries(onPrimary)) {
    await queryAt(server.url(), `ALTER SYSTEM SET ${name} = '${value}'`);
  }
  await queryAt(server.url(), 'SELECT pg_reload_conf()');
  const standby = await scene.startServer({
    dataDirectory: copy,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${server.port} user=postgres password=postgres dbname=postgres`,
      primary_slot_name: 'standby',
      hot_standby_feedback: 'on',
      sync_replication_slots: 'on',
    },
  });
  scene.startLoad();
  scene.startWorker();
  await scene.recording();
  return standby;
}

async function slotIsSynchronized(scene: FaultScene, standby: OwnServer): Promise<void> {
  // The standby looks every half minute, at worst.
  const isSynchronized = async (): Promise<boolean> => {
    const rows = await queryAt(
      standby.url(),
      'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND synced AND NOT temporary',
      [scene.slot],
    );
    return rows.length === 1;
  };
  await expect.poll(isSynchronized, patience).toBe(true);
}

async function failOver(scene: FaultScene, standby: OwnServer): Promise<void> {
  await scene.source.server.stop('kill');
  await promote(scene, standby);
}

async function promote(scene: FaultScene, standby: OwnServer): Promise<void> {
  await scene.pauseLoad();
  await queryAt(standby.url(), 'SELECT pg_promote()');
  scene.source.moveTo(standby);
  scene.startLoad();
}
