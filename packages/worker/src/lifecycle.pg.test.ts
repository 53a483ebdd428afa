import { setTimeout as delay } from 'node:timers/promises';
import { parseLsn } from '@bemi-db/replication/lsn';
import { fillBank, runBank } from '@bemi-db/test-kit/bank-workload';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { countChanges, verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import { openRequests, request, requestPage } from '@bemi-db/trail/inbox';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createAuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { startWorkerProcess } from '../test/worker-process.ts';
import { createWorker } from './create-worker.ts';

const minutes = 60_000;
/** Of a transaction that takes seconds to be sent. */
const largeRows = 200_000;

async function confirmedOf(client: pg.ClientBase, slot: string): Promise<bigint> {
  const { rows } = await client.query(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return parseLsn(rows[0].lsn);
}

async function walEnd(client: pg.ClientBase): Promise<bigint> {
  const { rows } = await client.query('SELECT pg_current_wal_lsn()::text AS lsn');
  return parseLsn(rows[0].lsn);
}

test('an empty source and an empty audit database: it makes publication, then slot, and records from there', async () => {
  const source = await createDatabase();
  const audit = await createDatabase();
  const sql = await source.connect();
  await sql.query('CREATE TABLE keyed (id integer PRIMARY KEY, text text); CREATE TABLE keyless (text text)');
  const said: string[] = [];
  const say = (_fields: object, message: string) => said.push(message);
  const logger = { debug: say, info: say, warn: say, error: say };
  const slot = `${source.name}_slot`;
  const worker = createWorker({ source: source.url, destination: audit.url, slot, logger });
  await worker.run({ drain: true });
  // The application's UPDATEs go on working, also on a table without a key.
  await sql.query(
    `INSERT INTO keyed VALUES (1, 'a'); INSERT INTO keyless VALUES ('a'); UPDATE keyless SET text = 'b'`,
  );
  await worker.run({ drain: true });
  expect(said.filter((line) => line.startsWith('Publish') || line.startsWith('Make'))).toEqual([
    'Publish the changes of all tables',
    `Make the replication slot ${slot}`,
  ]);
  expect(await countChanges(await audit.connect())).toEqual({
    'public.keyed INSERT': 1,
    'public.keyless INSERT': 1,
    'public.keyless UPDATE': 1,
  });
});

test(
  'SIGTERM: finished transactions are committed, the unfinished one is rolled back, and it comes again',
  async () => {
    const bank = await createAuditedBank();
    await bank.sourceSql.query(
      `INSERT INTO bulk (text) SELECT 'large ' || n FROM generate_series(1, ${largeRows}) n`,
    );
    const worker = startWorkerProcess(bank.targets);
    const isInside = async (): Promise<boolean> => {
      // The accounts' transaction is committed, and the large one is being written.
      const { rows } = await bank.auditSql.query(
        `SELECT count(*) > 0 AS yes FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'bemi worker: writer' AND state = 'active' AND query LIKE 'COPY%'`,
      );
      return rows[0].yes;
    };
    await expect.poll(isInside, { timeout: minutes, interval: 5 }).toBe(true);
    worker.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
    const counts = await countChanges(bank.auditSql);
    expect(counts['public.account INSERT']).toBe(500);
    expect(counts['public.bulk INSERT']).toBeUndefined();
    await expectWholeLog(bank, {
      'public.account INSERT': 500,
      'public.teller INSERT': 20,
      'public.bulk INSERT': largeRows,
    });
  },
  3 * minutes,
);

test(
  'a second worker waits, and takes over when the first is killed',
  async () => {
    const bank = await createAuditedBank();
    const first = startWorkerProcess(bank.targets);
    await expect
      .poll(() => first.lines.some((line) => line.message === 'Recording'), { timeout: minutes })
      .toBe(true);
    const second = startWorkerProcess(bank.targets);
    await expect
      .poll(() => second.lines.some((line) => line['code'] === 'log-in-use'), { timeout: minutes })
      .toBe(true);
    await bank.sourceSql.query(`UPDATE account SET balance = 1 WHERE id = 1`);
    first.kill('SIGKILL');
    await expect
      .poll(() => second.lines.some((line) => line.message === 'Recording'), { timeout: minutes })
      .toBe(true);
    await bank.sourceSql.query(`UPDATE account SET balance = 2 WHERE id = 1`);
    await expect
      .poll(async () => (await countChanges(bank.auditSql))['public.account UPDATE'], { timeout: minutes })
      .toBe(2);
    second.kill('SIGTERM');
    await second.exited;
    await expectWholeLog(bank);
  },
  3 * minutes,
);

test(
  'idle, killed, started again: it goes on',
  async () => {
    const bank = await createAuditedBank();
    const worker = startWorkerProcess(bank.targets);
    await expect
      .poll(() => worker.lines.some((line) => line.message === 'Recording'), { timeout: minutes })
      .toBe(true);
    const other = await (await createDatabase()).connect();
    await other.query('CREATE TABLE t (n integer); INSERT INTO t SELECT generate_series(1, 100000)');
    const end = await walEnd(other);
    // An idle source whose other databases are written: the slot follows, and lets go of WAL.
    await expect
      .poll(async () => (await confirmedOf(bank.sourceSql, bank.slot)) >= end, {
        timeout: 30_000,
        interval: 200,
      })
      .toBe(true);
    worker.kill('SIGKILL');
    await worker.exited;
    await bank.sourceSql.query('UPDATE account SET balance = 7 WHERE id = 7');
    await expectWholeLog(bank);
  },
  2 * minutes,
);

test(
  'source and audit database in one: its own tables are not recorded, and idle means quiet',
  async () => {
    // A server of its own: other tests' WAL would be a reason to record a position.
    const server = await startDisposableServer({ settings: { wal_level: 'logical' } });
    onTestFinished(() => server.stop('immediate'));
    const sql = new pg.Client(server.url());
    await sql.connect();
    onTestFinished(() => sql.end());
    await sql.query('CREATE TABLE note (id integer PRIMARY KEY, text text)');
    const worker = createWorker({
      source: server.url(),
      destination: server.url(),
      stateDirectory: newStateDirectory(),
    });
    const stop = new AbortController();
    const running = worker.run({ signal: stop.signal });
    await expect.poll(() => worker.status().state, { timeout: minutes }).toBe('recording');
    await sql.query(`INSERT INTO note SELECT n, 'text' FROM generate_series(1, 5000) n`);
    await expect.poll(() => worker.status().changes, { timeout: minutes }).toBe(5000);
    // Recording a position writes WAL here, which moves the position: were that a reason for the next such commit, there
    // would be one every 10 s for ever.
    await expect
      .poll(() => Date.now() - worker.status().lastCommitAt!.getTime(), { timeout: 45_000, interval: 500 })
      .toBeGreaterThan(14_000);
    stop.abort();
    await running;
    expect(await countChanges(sql)).toEqual({ 'public.note INSERT': 5000 });
    await verifyLogStructure(sql);
  },
  3 * minutes,
);

test(
  'requests of other processes become events, once',
  async () => {
    const bank = await createAuditedBank();
    const stop = new AbortController();
    const worker = createWorker(bank.targets);
    const running = worker.run({ signal: stop.signal });
    await expect.poll(() => worker.status().state, { timeout: minutes }).toBe('recording');
    const load = runBank(bank.source.url, 2, AbortSignal.timeout(2_500), 5);
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      ids.push(await request(bank.auditSql, 0, 'custom', { n }, 'somebody'));
      await delay(100);
    }
    const { counts } = await load;
    const answered = async () =>
      (await bank.auditSql.query('SELECT count(*)::integer AS n FROM bemi.inbox WHERE sequence IS NOT NULL'))
        .rows[0].n;
    await expect.poll(answered, { timeout: minutes }).toBe(20);
    stop.abort();
    await running;
    expect(worker.status().restarts).toBe(0);
    const { rows } = await bank.auditSql.query(
      `SELECT i.id, e.payload, e.actor FROM bemi.inbox i JOIN bemi.event_log e USING (sequence) WHERE e.kind = 'custom' ORDER BY i.id`,
    );
    expect(rows.map((row) => row.id)).toEqual(ids);
    expect(rows.map((row) => row.payload.n)).toEqual(ids.map((_, n) => n));
    expect(new Set(rows.map((row) => row.actor))).toEqual(new Set(['somebody']));
    await expectWholeLog(bank, counts);
  },
  2 * minutes,
);

test('a worker that drains does all that was asked for, what has to wait for another request too', async () => {
  const source = await createDatabase();
  const audit = await createDatabase();
  const sql = await source.connect();
  await sql.query('CREATE TABLE t (id integer PRIMARY KEY)');
  const slot = `${source.name}_slot`;
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  await worker.run({ drain: true });
  const trail = await audit.connect();
  const hold = { id: '0123456789abcdef', by: 'legal', reason: 'a lawsuit' };
  await request(trail, 0, 'hold', { event: 'placed', ...hold, schema: 'public', table: 't' });
  await request(trail, 0, 'hold', { event: 'released', ...hold });
  // More than are read at once.
  for (let n = 0; n < requestPage; n++) await request(trail, 0, 'custom', { n });
  await worker.run({ drain: true });
  expect(await openRequests(trail, 0, '0')).toEqual([]);
  const { rows } = await trail.query(
    `SELECT kind, count(*)::int FROM bemi.event_log WHERE kind IN ('hold', 'custom') GROUP BY kind ORDER BY kind`,
  );
  expect(rows).toEqual([
    { kind: 'custom', count: requestPage },
    { kind: 'hold', count: 2 },
  ]);
});

test('nobody can ask for events that say what only the worker knows', async () => {
  const bank = await createAuditedBank();
  await createWorker(bank.targets).run({ drain: true });
  const kinds = [
    'relation',
    'alive',
    'lineage',
    'gap',
    'skip',
    'lifecycle',
    'quarantine',
    'coverage',
    'unheard-of',
  ];
  for (const kind of kinds)
    await request(bank.auditSql, 0, kind, { fromLsn: '0/1', toLsn: '0/2', generation: 2 });
  const stop = new AbortController();
  const running = createWorker(bank.targets).run({ signal: stop.signal });
  const refused = async () =>
    (await bank.auditSql.query('SELECT count(*)::integer AS n FROM bemi.inbox WHERE refusal IS NOT NULL'))
      .rows[0].n;
  await expect.poll(refused, { timeout: minutes }).toBe(kinds.length);
  stop.abort();
  await running;
  await expectWholeLog(bank);
});

test('the log says in events that the worker is there, under load and idle, and each goes on where the last one ended', async () => {
  const bank = await createAuditedBank();
  const stop = new AbortController();
  const worker = createWorker({ ...bank.targets, aliveIntervalMs: 1 });
  const running = worker.run({ signal: stop.signal });
  await expect.poll(() => worker.status().state, { timeout: minutes }).toBe('recording');
  const { counts } = await runBank(bank.source.url, 2, AbortSignal.timeout(4_000), 5);
  const aliveEvents = async () =>
    (
      await bank.auditSql.query<{ payload: Record<string, string> }>(
        `SELECT payload FROM bemi.event_log WHERE kind = 'alive' ORDER BY sequence`,
      )
    ).rows.map(({ payload }) => payload);
  const duringLoad = (await aliveEvents()).length;
  expect(duringLoad).toBeGreaterThan(1);
  await expect
    .poll(async () => (await aliveEvents()).length, { timeout: minutes })
    .toBeGreaterThan(duringLoad + 2);
  stop.abort();
  await running;
  const events = await aliveEvents();
  for (const [i, event] of events.entries()) {
    if (i > 0) expect(event['fromLsn']).toBe(events[i - 1]!['toLsn']);
    const times = ['sourceTime', 'auditTime', 'workerTime'].map((name) => Date.parse(event[name]!));
    // One machine, one clock; the source spoke in its last keepalive.
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(minutes);
  }
  await expectWholeLog(bank, counts);
});

test('a log that already holds accounts goes on after a stop, with every start an event', async () => {
  const bank = await createAuditedBank();
  for (let start = 0; start < 3; start++) await createWorker(bank.targets).run({ drain: true });
  const { rows } = await bank.auditSql.query(
    `SELECT count(*)::integer AS n FROM bemi.event_log WHERE kind = 'lifecycle' AND payload->>'event' = 'started'`,
  );
  expect(rows[0].n).toBe(3);
  await fillAgain(bank.sourceSql);
  await expectWholeLog(bank);
});

async function fillAgain(client: pg.ClientBase): Promise<void> {
  await client.query('TRUNCATE account, teller');
  await fillBank(client);
}
