import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
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
