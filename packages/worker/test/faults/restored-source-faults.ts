import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { type FaultScene, queryAt } from '../fault-scene.ts';
import type { Fault } from './fault.ts';

const patience = { timeout: 60_000, interval: 20 };

/**
 * The source comes back as an older copy of itself, with its slot: same system identifier, same timeline. Only the first
 * row could be told by positions alone.
 */
export const restoredSourceFaults: readonly Fault[] = [
  {
    fault: 'source restored from an older copy',
    how: 'the files of the stopped server, from before the log’s last entries',
    outcome: 'refuses source-behind',
    scene: { source: 'server' },
    async inflict(scene) {
      const copy = await copyAndRecordOn(scene);
      await restore(scene, copy);
      scene.startWorker();
    },
  },
  {
    fault: 'source restored from an older copy, and written on past the end of the log',
    how: 'small transactions: others than the log’s stand at its positions',
    outcome: 'refuses history-changed',
    scene: { source: 'server' },
    async inflict(scene) {
      const copy = await copyAndRecordOn(scene);
      await restore(scene, copy);
      while (!(await isPastLog(scene))) {
        await scene.source.query(`INSERT INTO bulk (text) SELECT 'again' FROM generate_series(1, 50)`);
      }
      scene.startWorker();
    },
  },
  {
    fault: 'source restored from an older copy, and past the end of the log by one large transaction',
    how: 'which commits after the log’s last position: no transaction comes that could be compared',
    outcome: 'refuses history-changed',
    scene: { source: 'server' },
    async inflict(scene) {
      const copy = await copyAndRecordOn(scene);
      await restore(scene, copy);
      await scene.source.query(
        `INSERT INTO bulk (text) SELECT repeat('again ', 20) FROM generate_series(1, 70000)`,
      );
      expect(await isPastLog(scene)).toBe(true);
      const changes = async () =>
        (await scene.audit.query('SELECT count(*) AS n FROM bemi.change_log'))[0]!['n'];
      const before = await changes();
      // Parts of it are written when it is refused; what the log has to say of itself meanwhile must not commit them.
      scene.onFailpoint = (name) => (name === 'append:after' ? delay(1_500) : undefined);
      const saying = setInterval(() => scene.worker.announce({ event: 'said by the test' }), 50);
      scene.startWorker();
      await expect.poll(() => scene.worker.status().state, { timeout: 60_000 }).toBe('stopped');
      clearInterval(saying);
      scene.onFailpoint = () => undefined;
      expect(await changes()).toBe(before);
    },
  },
  {
    fault: 'source restored from an older copy, and past the end of the log by what is not recorded',
    how: 'another database of the server is written: only keepalives come',
    outcome: 'refuses history-changed',
    scene: { source: 'server' },
    async inflict(scene) {
      const copy = await copyAndRecordOn(scene);
      await restore(scene, copy);
      while (!(await isPastLog(scene))) await writeElsewhere(scene);
      scene.startWorker();
    },
  },
  {
    fault: 'source restored from an older copy, and written where the log has read that there is nothing',
    how: 'the log is ahead of the copy by keepalives alone; then a transaction stands in that stretch',
    outcome: 'refuses history-changed',
    scene: { source: 'server' },
    async inflict(scene) {
      const copy = await copyOf(scene);
      scene.startWorker();
      await scene.recording();
      await writeElsewhere(scene);
      await scene.caughtUp();
      await scene.stopWorker();
      await restore(scene, copy);
      await scene.source.query(`INSERT INTO bulk (text) VALUES ('in between')`);
      expect(await isPastLog(scene)).toBe(false);
      while (!(await isPastLog(scene))) await writeElsewhere(scene);
      scene.startWorker();
    },
  },
  {
    fault: 'another cluster under the address of the source',
    how: 'a server with a database, a publication and a slot of the same names',
    outcome: 'refuses other-cluster',
    scene: { source: 'proxy' },
    async inflict(scene) {
      await scene.stopWorker();
      await scene.pauseLoad();
      const other = await scene.startServer();
      await queryAt(other.url(), `CREATE DATABASE ${scene.source.database}`);
      scene.source.moveTo(other);
      await scene.source.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
      await scene.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [scene.slot]);
      scene.startWorker();
    },
  },
];

/** A copy of the source at a moment when the worker has recorded all of it; the worker is stopped then. */
export async function copyOf(scene: FaultScene): Promise<string> {
  const { source } = scene;
  await scene.pauseLoad();
  await scene.caughtUp();
  await scene.stopWorker();
  await source.server.stop('fast');
  const copy = source.server.copy();
  await source.server.start();
  return copy;
}

/** The same, and then more is written and recorded. */
async function copyAndRecordOn(scene: FaultScene): Promise<string> {
  const copy = await copyOf(scene);
  scene.startLoad();
  scene.startWorker();
  await scene.recording();
  await expect.poll(() => scene.worker.status().transactions, patience).toBeGreaterThan(20);
  await scene.pauseLoad();
  await scene.caughtUp();
  await scene.stopWorker();
  return copy;
}

async function restore({ source }: FaultScene, copy: string): Promise<void> {
  await source.server.stop('fast');
  await source.server.start({}, copy);
}

export async function isPastLog({ source, audit }: FaultScene): Promise<boolean> {
  const [log] = await audit.query('SELECT confirmed_lsn::text AS lsn FROM bemi.sources');
  const [row] = await source.query('SELECT pg_current_wal_lsn() > $1::pg_lsn AS "isPast"', [log!['lsn']]);
  return row!['isPast'] === true;
}

/** 64 KB or so of WAL that has nothing to do with the bank. */
async function writeElsewhere({ source }: FaultScene): Promise<void> {
  await queryAt(
    source.server.url(),
    'CREATE TABLE IF NOT EXISTS elsewhere (n integer); INSERT INTO elsewhere SELECT generate_series(1, 1000)',
  );
}
