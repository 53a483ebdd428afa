import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from '@bemi-db/source/inspect';
import { createBank, fillBank, runBank } from '@bemi-db/test-kit/bank-workload';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { currentMajor } from '@bemi-db/test-kit/older-server';
import { serverMajor, streamsContext } from '@bemi-db/test-kit/server-major';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type AuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { createWorker } from './create-worker.ts';

const places = ['a server of the same major', ...(serverMajor() < currentMajor ? ['the newest server'] : [])];

test.each(places)(
  'an empty source is prepared, and recorded across stops; the trail is on %s',
  async (place) => {
    const bank = await createEmptyBank(place === places[0] ? undefined : await startNewest());
    const { sourceSql, targets } = bank;
    const worker = createWorker(targets);
    await worker.run({ drain: true });
    const made = await inspect(sourceSql, { slot: targets.slot, publication: 'bemi_publication' });
    expect(made.slot?.isFailover).toBe(serverMajor() >= 17 ? true : undefined);
    await fillBank(sourceSql);

    const stop = new AbortController();
    const running = worker.run({ signal: stop.signal });
    const stopWriting = new AbortController();
    const writing = runBank(bank.source.url, 4, stopWriting.signal, 5);
    await expect.poll(() => worker.status().changes, { timeout: 30_000 }).toBeGreaterThan(800);
    stop.abort();
    await running;
    await delay(300); // written while nobody records
    stopWriting.abort();
    const { counts } = await writing;
    await expectWholeLog(bank, counts);

    expect(worker.status().hasContext).toBe(streamsContext());
    // Every other client said who it is.
    const { rows } = await bank.auditSql.query(
      `SELECT context, count(*) > 0 AS "isSeen" FROM bemi.changes WHERE operation = 'UPDATE' GROUP BY context
      ORDER BY context NULLS FIRST`,
    );
    const contexts = streamsContext() ? [null, { client: 0 }, { client: 2 }] : [null];
    expect(rows).toEqual(contexts.map((context) => ({ context, isSeen: true })));
    // And a trigger said of one which database user it is.
    const { rows: actors } = await bank.auditSql.query(
      `SELECT DISTINCT actor, context FROM bemi.changes WHERE actor IS NOT NULL`,
    );
    expect(actors).toEqual(streamsContext() ? [{ actor: { session_user: 'client 1' }, context: null }] : []);
  },
);

async function startNewest(): Promise<string> {
  const server = await startDisposableServer();
  onTestFinished(() => server.stop('immediate'));
  return server.url();
}

/** A bank without publication and slot. */
async function createEmptyBank(auditUrl: string | undefined): Promise<AuditedBank> {
  const source = await createDatabase();
  const audit = await createDatabase();
  const sourceSql = await source.connect();
  await createBank(sourceSql);
  await sourceSql.query(`SET TimeZone = 'UTC'`);
  const auditSql = auditUrl === undefined ? await audit.connect() : await connected(auditUrl);
  const slot = `${source.name}_slot`;
  const destination = auditUrl ?? audit.url;
  return { source, audit, sourceSql, auditSql, slot, targets: { source: source.url, destination, slot } };
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}
