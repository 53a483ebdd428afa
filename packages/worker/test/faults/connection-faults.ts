import { setTimeout as delay } from 'node:timers/promises';
import { tryLockLog } from '@bemi-db/trail/log-lock';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { expect, onTestFinished } from 'vitest';
import type { FaultScene } from '../fault-scene.ts';
import type { Fault } from './fault.ts';

const patience = { timeout: 60_000, interval: 20 };

/** The worker's connections, as they introduce themselves. */
const connections = [
  { name: 'replication', side: 'source', startup: /bemi worker\0/ },
  { name: 'catalog', side: 'source', startup: /bemi worker: catalog/ },
  { name: 'writer', side: 'audit', startup: /bemi worker: writer/ },
  { name: 'upkeep', side: 'audit', startup: /bemi worker: upkeep/ },
  { name: 'publication', side: 'audit', startup: /bemi worker: publication/ },
] as const;

/** What happens to the network between the worker and either side. */
export const connectionFaults: readonly Fault[] = [
  ...connections.map(
    ({ name, side, startup }): Fault => ({
      fault: `connection half open: ${name}`,
      how: 'a proxy takes bytes from both ends and hands none on; nobody closes; new connections work',
      outcome: 'recovers',
      scene: { [side]: 'proxy' },
      async inflict(scene) {
        expect(scene[side].proxy.stall(startup)).toBe(1);
        // Something that the connection has to do: a table's shape is asked for again, checkpoints are published.
        await scene.source.query('ALTER TABLE teller SET (fillfactor = 50)');
        await expect.poll(() => scene.worker.status().restarts, patience).toBeGreaterThan(0);
        expectSaid(scene, 'unreachable');
      },
    }),
  ),
  ...(['source', 'audit'] as const).map(
    (side): Fault => ({
      fault: `network to the ${side} side half open`,
      how: 'as above for all connections, and new ones as well for a while',
      outcome: 'recovers',
      scene: { [side]: 'proxy' },
      async inflict(scene) {
        scene[side].proxy.stall(/bemi worker/, { andNew: true });
        await scene.interrupted();
        await delay(1_000);
        scene[side].proxy.heal();
        expectSaid(scene, 'unreachable');
      },
    }),
  ),
  ...(['idle', 'reading'] as const).map(
    (doing): Fault => ({
      fault: `worker gone while half open, ${doing === 'idle' ? 'between two commits' : 'in the middle of a COPY'}`,
      how: 'its session, as the server knows it, goes on holding the log without a sign of life; another worker starts',
      outcome: 'recovers',
      async inflict(scene) {
        await scene.stopWorker();
        const held = new pg.Client({ connectionString: scene.audit.url() });
        held.on('error', () => undefined); // it is ended by the worker
        await held.connect();
        onTestFinished(() => held.end().catch(() => undefined));
        expect(await tryLockLog(held, scene.source.database)).toBe(true);
        if (doing === 'reading') {
          await held.query('CREATE TEMPORARY TABLE half (line text)');
          held.query(copyFrom('COPY half FROM STDIN')).on('error', () => undefined);
        }
        scene.startWorker();
        await expect.poll(() => scene.said.some(({ code }) => code === 'log-in-use'), patience).toBe(true);
      },
    }),
  ),
  {
    fault: 'second worker waits for the log of a quiet source',
    how: 'for twice as long as a silent worker may hold it, while nothing is written',
    outcome: 'recovers',
    async inflict(scene) {
      await scene.pauseLoad();
      await scene.stopWorker();
      scene.startWorker({ aliveIntervalMs: 3_600_000 });
      await scene.recording();
      const second = scene.startSecondWorker();
      await expect.poll(() => second.worker.status().problem?.code, patience).toBe('log-in-use');
      const { restarts } = scene.worker.status();
      await delay(2 * scene.targets.liveness!.replaceAfterMs);
      expect(scene.worker.status().restarts).toBe(restarts);
      expect(second.worker.status().problem?.code).toBe('log-in-use');
      await second.stop();
      scene.startLoad();
    },
  },
  ...(['source', 'audit'] as const).map(
    (side): Fault => ({
      fault: `network to the ${side} side resets, refuses, and is slow`,
      how: 'a proxy resets all connections, refuses new ones for a while, and then delays each packet by 20 ms',
      outcome: 'recovers',
      scene: { [side]: 'proxy' },
      async inflict({ [side]: { proxy }, interrupted, recording }) {
        proxy.cut(/bemi worker/);
        await interrupted();
        proxy.refuse();
        await delay(700);
        proxy.heal();
        proxy.slowDown(20);
        await recording();
        await delay(1_000);
        proxy.slowDown(0);
      },
    }),
  ),
];

function expectSaid({ said }: FaultScene, code: string): void {
  expect(said.filter(({ level }) => level === 'warn').map((saying) => saying.code)).toContain(code);
}
