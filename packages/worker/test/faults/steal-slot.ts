import { parseLsn } from '@bemi-db/replication/lsn';
import { startReplication } from '@bemi-db/replication/replication-stream';
import pg from 'pg';
import { expect } from 'vitest';
import type { FaultScene } from '../fault-scene.ts';

const patience = { timeout: 60_000, interval: 5 };

/** Another client that streams from the worker's slot. */
export interface Thief {
  /** Tells the slot to forget all before this. */
  confirm(lsn: string): Promise<void>;
  end(): void;
}

/** Ends the worker's stream, and takes the slot before the worker is back. */
export async function stealSlot(scene: FaultScene): Promise<Thief> {
  for (;;) {
    const config = { connectionString: scene.source.url(), replication: 'database' };
    const client = new pg.Client(config);
    client.on('error', () => undefined);
    await client.connect();
    await endWalsender(scene);
    let hasSlot = false;
    const stream = startReplication({
      client,
      slot: scene.slot,
      publications: ['bemi_publication'],
      messages: true,
      statusIntervalMs: 100,
      onStart: () => {
        hasSlot = true;
      },
      onMessage: () => undefined,
      onKeepalive: () => undefined,
      onDrained: () => undefined,
    });
    let hasFailed = false;
    stream.ended.catch(() => {
      hasFailed = true;
    });
    await expect.poll(() => hasSlot || hasFailed, patience).toBe(true);
    if (hasSlot) {
      return {
        async confirm(lsn) {
          await expect.poll(() => stream.receivedLsn >= parseLsn(lsn), patience).toBe(true);
          stream.confirm(parseLsn(lsn));
          await stream.stop();
          // What the server has not read yet is lost with the connection.
          const isConfirmed = async (): Promise<unknown> => {
            const [row] = await scene.source.query(
              `SELECT confirmed_flush_lsn >= '${lsn}'::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = '${scene.slot}'`,
            );
            return row!['done'];
          };
          await expect.poll(isConfirmed, patience).toBe(true);
        },
        end: () => client.connection.stream.destroy(),
      };
    }
    await client.end();
  }
}

/** Also where the worker has only just asked for the slot: until there is one to be ended. */
export async function endWalsender({ source, slot }: FaultScene): Promise<void> {
  const ended = async (): Promise<number> =>
    (
      await source.query(
        'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active',
        [slot],
      )
    ).length;
  await expect.poll(ended, { timeout: 60_000, interval: 20 }).toBe(1);
}
