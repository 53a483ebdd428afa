import { createDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { treeOfSize } from '../test/tree-of-size.ts';
import { EntryBatch } from './append/entry-batch.ts';
import { LogWriter } from './append/log-writer.ts';
import { tryLockLog } from './log-lock.ts';
import { migrate, migrationScript, readSchema } from './migrate.ts';
import { extendPartitions } from './partitions.ts';
import { createSource, findSource, takeOver } from './sources.ts';

const source = {
  name: 'clinic',
  systemIdentifier: '7000000000000000001',
  database: 'clinic',
  slot: 'bemi_slot',
  publication: 'bemi_publication',
  timeline: 1,
  completeFromLsn: '0/100',
};

async function newLog(): Promise<{ sql: pg.Client; writerClient: pg.Client }> {
  const database = await createDatabase();
  const writerClient = await database.connect();
  await migrate(writerClient);
  await createSource(writerClient, source);
  await extendPartitions(writerClient, 0, 0);
  return { sql: await database.connect(), writerClient };
}

/** A transaction with a context and that many changes. */
function addTransaction(batch: EntryBatch, changeCount: number): void {
  const transaction = batch.nextSequence;
  batch.context(transaction, 0, Buffer.from('{"userId":"u"}'), 'unsigned');
  for (let n = 0; n < changeCount; n++) {
    const row = batch.beginChange(transaction, 0, 0, 0x110n, 'INSERT', 'none');
    row.text(String(n));
    row.null();
    row.text(`{"id":${n}}`);
    batch.endChange();
  }
  batch.commit({
    sequence: 0,
    transaction,
    generation: 1,
    commitLsn: 0x120n,
    endLsn: 0x130n,
    coveredFromLsn: 0x100n,
    xid: 4_294_967_295n,
    committedAt: 800_000_000_123_456n,
    recordedAt: 800_000_000_200_000n,
    changeCount,
    contextCount: 1,
    hasActor: false,
  });
  batch.complete();
}

const shape = {
  oid: 1,
  schema: 'public',
  table: 'Patient',
  rootSchema: 'public',
  rootTable: 'Patient',
  document: '{}',
};
const progress = { lastFinalLsn: '0/120', confirmedLsn: '0/130', timeline: 1 };

test('migrating twice does nothing the second time, and concurrent migrations wait for each other', async () => {
  const database = await createDatabase();
  const clients = await Promise.all([database.connect(), database.connect(), database.connect()]);
  const results = await Promise.all(clients.map((client) => migrate(client)));
  const [first, ...others] = results.map(({ applied }) => applied).sort((a, b) => b.length - a.length);
  expect(first?.[0]).toBe('0001_log.sql');
  expect(others).toEqual([[], []]);
});

test('a schema of a newer version is refused', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await migrate(client);
  await client.query(`INSERT INTO bemi.migrations (number, name) VALUES (9999, '9999_later.sql')`);
  await expect(migrate(client)).rejects.toThrow('9999_later.sql');
});

test('a name that is taken in public is left alone', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query('CREATE TABLE public.changes (mine integer)');
  await migrate(client);
  expect((await client.query('SELECT * FROM public.changes')).fields.map((field) => field.name)).toEqual([
    'mine',
  ]);
});

test('a database that has the view without the actor gets it; a view of somebody’s own is left alone', async () => {
  const names = async (client: pg.Client, view: string) =>
    (await client.query(`SELECT * FROM ${view}`)).fields.map((field) => field.name).slice(-2);
  const older = async (view: string): Promise<pg.Client> => {
    const client = await (await createDatabase()).connect();
    for (const migration of (await readSchema(client)).pending.filter(({ number }) => number < 6))
      await client.query(migrationScript(migration, migration.number === 1 ? undefined : 'postgres'));
    await client.query(view);
    expect(await names(client, 'bemi.changes')).toEqual(['transaction_id', 'position']);
    expect((await migrate(client)).applied[0]).toBe('0006_actor.sql');
    expect(await names(client, 'bemi.changes')).toEqual(['position', 'actor']);
    return client;
  };
  expect(await names(await older(''), 'public.changes')).toEqual(['position', 'actor']);
  const mine = `CREATE OR REPLACE VIEW public.changes AS SELECT * FROM bemi.changes WHERE "table" = 'mine'`;
  expect(await names(await older(mine), 'public.changes')).toEqual(['transaction_id', 'position']);
});

test('entries, position and next sequence become visible in one commit', async () => {
  const { sql, writerClient } = await newLog();
  const writer = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const batch = new EntryBatch(0, treeOfSize(0));
  batch.relation(shape, 0n);
  addTransaction(batch, 3);
  await writer.append(batch.takeComplete(progress));
  const { rows } = await sql.query('SELECT * FROM changes ORDER BY id');
  expect(rows).toHaveLength(3);
  expect(rows[2]).toEqual({
    id: '4',
    database: 'clinic',
    schema: 'public',
    table: 'Patient',
    primary_key: '2',
    operation: 'INSERT',
    before: null,
    after: { id: 2 },
    context: { userId: 'u' },
    committed_at: new Date('2025-05-08T06:13:20.123Z'),
    queued_at: new Date('2025-05-08T06:13:20.200Z'),
    created_at: new Date('2025-05-08T06:13:20.200Z'),
    transaction_id: '4294967295',
    position: '0/110',
    actor: null,
  });
  expect(await findSource(sql, 'clinic')).toMatchObject({
    nextSequence: 6,
    lastFinalLsn: '0/120',
    confirmedLsn: '0/130',
    coveredLsn: '0/130',
  });
});

test('what follows the last complete transaction waits, and goes out in parts of an open audit transaction', async () => {
  const { sql, writerClient } = await newLog();
  const writer = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const batch = new EntryBatch(0, treeOfSize(0));
  batch.relation(shape, 0n);
  addTransaction(batch, 2);
  const transaction = batch.nextSequence;
  const addChange = () => {
    const row = batch.beginChange(transaction, 0, 0, 1n, 'DELETE', 'key');
    row.null();
    row.text('{}');
    row.null();
    batch.endChange();
  };
  addChange();
  await writer.append(batch.takeComplete(progress));
  await writer.append(batch.takePart());
  addChange();
  await writer.append(batch.takePart());
  expect(writer.isOpen).toBe(true);
  const count = async () => (await sql.query('SELECT count(*)::integer AS n FROM bemi.change_log')).rows[0].n;
  expect(await count()).toBe(2);
  await writer.rollback();
  expect(await count()).toBe(2);
  expect((await findSource(sql, 'clinic'))?.nextSequence).toBe(5);
});

test('units that are sent before the last is answered keep their order, also behind one with statements of its own', async () => {
  const { sql, writerClient } = await newLog();
  const writer = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const batch = new EntryBatch(0, treeOfSize(0));
  const appended: Promise<void>[] = [];
  for (let n = 0; n < 12; n++) {
    if (n % 3 === 0) batch.relation({ ...shape, oid: n }, 0n);
    addTransaction(batch, 2);
    appended.push(writer.append(batch.takeComplete(progress)));
    if (n % 2 === 1) await appended[n - 1];
  }
  await Promise.all(appended);
  const { rows } = await sql.query(
    `SELECT (SELECT count(*) FROM bemi.change_log)::integer AS changes, (SELECT count(*) FROM bemi.relations)::integer AS relations,
            (SELECT next_sequence FROM bemi.logs)::integer AS next`,
  );
  expect(rows).toEqual([{ changes: 24, relations: 4, next: 12 * 4 + 4 }]);
});

test('a writer that was taken over, or does not know the end, is stopped by the fence', async () => {
  const { writerClient, sql } = await newLog();
  const first = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const epoch = await takeOver(sql, 0);
  const batch = new EntryBatch(0, treeOfSize(0));
  batch.relation(shape, 0n);
  addTransaction(batch, 1);
  await expect(first.append(batch.takeComplete(progress))).rejects.toMatchObject({ code: 'BM001' });

  const second = new LogWriter({ client: sql, log: 0, epoch });
  const ahead = new EntryBatch(0, treeOfSize(7));
  addTransaction(ahead, 1);
  await expect(second.append(ahead.takeComplete(progress))).rejects.toMatchObject({ code: 'BM002' });
  await writerClient.query('ROLLBACK');
  const { rows } = await writerClient.query('SELECT count(*)::integer AS n FROM bemi.transaction_log');
  expect(rows).toEqual([{ n: 0 }]);
});

test('a COPY that fails takes the whole audit transaction with it, and the connection lives', async () => {
  const { writerClient } = await newLog();
  const writer = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const batch = new EntryBatch(0, treeOfSize(0));
  batch.relation(shape, 0n);
  const row = batch.beginChange(1, 0, 0, 1n, 'INSERT', 'none');
  row.null();
  row.null();
  row.text('{"not JSON');
  batch.endChange();
  addTransaction(batch, 2);
  await expect(writer.append(batch.takeComplete(progress))).rejects.toMatchObject({ code: '22P02' });
  await writerClient.query('ROLLBACK');
  const { rows } = await writerClient.query(
    'SELECT (SELECT count(*) FROM bemi.event_log)::integer AS events, next_sequence FROM bemi.logs',
  );
  expect(rows).toEqual([{ events: 0, next_sequence: '0' }]);
});

test('entries cross from one range of sequences to the next', async () => {
  const { sql, writerClient } = await newLog();
  await sql.query('UPDATE bemi.logs SET next_sequence = 3999990');
  await extendPartitions(writerClient, 0, 3_999_990);
  const writer = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const batch = new EntryBatch(0, treeOfSize(3_999_990));
  batch.relation(shape, 0n);
  addTransaction(batch, 50);
  await writer.append(batch.takeComplete(progress));
  const { rows } = await sql.query(
    'SELECT tableoid::regclass::text AS part, count(*)::integer AS n FROM bemi.change_log GROUP BY 1 ORDER BY 1',
  );
  expect(rows).toEqual([
    { part: 'bemi.change_log_0_0', n: 8 },
    { part: 'bemi.change_log_0_4000000', n: 42 },
  ]);
});

test('partitions are made while the writer has an audit transaction open', async () => {
  const { sql, writerClient } = await newLog();
  const writer = new LogWriter({ client: writerClient, log: 0, epoch: await takeOver(writerClient, 0) });
  const batch = new EntryBatch(0, treeOfSize(0));
  batch.relation(shape, 0n);
  await writer.append(batch.takePart());
  await sql.query('SET lock_timeout = 1000');
  expect(await extendPartitions(sql, 0, 3_999_999)).toBeGreaterThan(4_000_000);
  await writer.rollback();
});

test('the lock of a log is held by one session at a time', async () => {
  const { sql, writerClient } = await newLog();
  expect(await tryLockLog(writerClient, 'clinic')).toBe(true);
  expect(await tryLockLog(sql, 'clinic')).toBe(false);
  expect(await tryLockLog(sql, 'other')).toBe(true);
});
