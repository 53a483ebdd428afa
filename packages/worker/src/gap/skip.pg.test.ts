import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase } from '@bemi-db/test-kit/database';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import { expect, onTestFinished, test } from 'vitest';
import { createWorker, type WorkerOptions } from '../create-worker.ts';
import type { Problem } from '../problem.ts';

/** A database in an encoding that has a byte without a meaning: the server can't turn it into UTF-8, to send it. */
async function createUnsendable(): Promise<RecordedDatabase> {
  const template = `win1252_${Math.random().toString(36).slice(2)}`;
  const sql = await (await createDatabase()).connect();
  await sql.query(`CREATE DATABASE ${template} TEMPLATE template0 ENCODING 'WIN1252' LOCALE 'C'`);
  onTestFinished(async () => {
    await sql.query(`DROP DATABASE ${template}`);
  });
  return createRecordedDatabase(
    (client) => client.query('CREATE TABLE note (id integer PRIMARY KEY, text text)'),
    template,
  );
}

const targetsOf = ({ source, audit, slot }: RecordedDatabase): WorkerOptions => ({
  source: source.url,
  destination: audit.url,
  slot,
});

/** Runs a worker until it says what is in its way. The audit database is slower than the source's error. */
async function untilProblem(options: WorkerOptions): Promise<Problem> {
  const stop = new AbortController();
  const worker = createWorker({
    ...options,
    failpoint: async (name) => {
      if (name === 'commit:before') await delay(300);
    },
  });
  const running = worker.run({ signal: stop.signal });
  await expect.poll(() => worker.status().problem, { timeout: 30_000 }).toBeDefined();
  const { problem } = worker.status();
  stop.abort();
  await running;
  return problem!;
}

async function keys({ trail }: RecordedDatabase): Promise<string[]> {
  const { rows } = await trail.query('SELECT primary_key FROM bemi.changes ORDER BY id');
  return rows.map(({ primary_key }) => primary_key);
}

const badText = `convert_from('\\x81', 'WIN1252')`;

test('a transaction that the server can not send is named, passed over, and the log says so', async () => {
  const recorded = await createUnsendable();
  const { sql, trail } = recorded;
  const options = targetsOf(recorded);
  await sql.query(`INSERT INTO note VALUES (1, 'good')`);
  await sql.query(`INSERT INTO note VALUES (2, ${badText})`);
  await sql.query(`INSERT INTO note VALUES (3, 'good')`);
  const problem = await untilProblem(options);
  expect(problem).toMatchObject({ code: 'unsendable', kind: 'retry' });
  const [, toLsn] = /bemi skip --to (\S+)/.exec(problem.fix) ?? [];
  const skipped = await createWorker(options).skip({
    toLsn,
    reason: 'a byte without a meaning',
    by: 'me',
    confirm: async () => undefined,
  });
  expect(skipped.toLsn).toBe(toLsn);
  await createWorker(options).run({ drain: true });
  expect(await keys(recorded)).toEqual(['1', '3']);
  const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
  expect(report.findings).toEqual([]);
  expect(report.notices).toContainEqual(
    expect.objectContaining({ code: 'wal-skipped', sequence: skipped.sequence, toLsn }),
  );
});

test('a crash between the log and the slot is made up for', async () => {
  const recorded = await createUnsendable();
  const { sql } = recorded;
  const options = targetsOf(recorded);
  await sql.query(`INSERT INTO note VALUES (1, ${badText})`);
  await sql.query(`INSERT INTO note VALUES (2, 'good')`);
  const copy = `${recorded.slot}_copy`;
  await sql.query('SELECT pg_copy_logical_replication_slot($1, $2)', [recorded.slot, copy]);
  await untilProblem(options);
  await createWorker(options).skip({
    toLsn: undefined,
    reason: 'x',
    by: 'me',
    confirm: async () => undefined,
  });
  // As if the slot had never been told.
  await sql.query('SELECT pg_drop_replication_slot($1)', [recorded.slot]);
  await sql.query('SELECT pg_copy_logical_replication_slot($1, $2)', [copy, recorded.slot]);
  await createWorker(options).run({ drain: true });
  expect(await keys(recorded)).toEqual(['2']);
});

test('what was written between a slot and its publication is passed over, and nothing after it', async () => {
  const source = await createDatabase();
  const audit = await createDatabase();
  const sql = await source.connect();
  const trail = await audit.connect();
  const slot = `${source.name}_slot`;
  const options = { source: source.url, destination: audit.url, slot };
  await sql.query('CREATE TABLE note (id integer PRIMARY KEY, text text)');
  await sql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await sql.query(`INSERT INTO note VALUES (1, 'before the publication')`);
  await sql.query(`INSERT INTO note VALUES (2, 'before the publication')`);
  await sql.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  await sql.query(`INSERT INTO note VALUES (3, 'after the publication')`);
  await sql.query(`INSERT INTO note VALUES (4, 'after the publication')`);
  expect(await untilProblem(options)).toMatchObject({
    code: 'publication',
    fix: expect.stringContaining('bemi skip --reason'),
  });
  await createWorker(options).skip({
    toLsn: undefined,
    reason: 'the wrong order',
    by: 'me',
    confirm: async () => undefined,
  });
  await createWorker(options).run({ drain: true });
  expect(await keys({ trail } as RecordedDatabase)).toEqual(['3', '4']);
  const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
  expect(report.findings).toEqual([]);
});

test('positions that make no sense are refused', async () => {
  const recorded = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE note (id integer PRIMARY KEY)'),
  );
  const options = targetsOf(recorded);
  await recorded.sql.query('INSERT INTO note VALUES (1)');
  await createWorker(options).run({ drain: true });
  const skip = (toLsn: string | undefined) =>
    createWorker(options).skip({ toLsn, reason: 'x', by: 'me', confirm: async () => undefined });
  await expect(skip('0/1')).rejects.toMatchObject({ problem: { code: 'skip-position' } });
  await expect(skip('FFFF/0')).rejects.toMatchObject({ problem: { code: 'skip-position' } });
  await expect(skip(undefined)).rejects.toMatchObject({ problem: { code: 'nothing-to-skip' } });
});
