import { once } from 'node:events';
import { driver } from '@bemi-db/test-kit/drivers';
import type pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { ALICE, BOB, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';
import { createPool } from './pg.ts';

interface Cursor extends pg.Submittable {
  read(rows: number): Promise<unknown[]>;
  close(): Promise<void>;
}
const Cursor = driver<new (text: string) => Cursor>('pg-cursor');

it('a cursor that is closed at once, as the first thing on its connection, leaves it usable', async () => {
  const { client, wal } = await pgBench();
  await runWithBemiContext(ALICE, async () => {
    await client.query(new Cursor('INSERT INTO t VALUES (1) RETURNING id')).close();
    await client.query('INSERT INTO t VALUES (2)');
  });
  expect(await wal.take()).toEqual([[ALICE, 'INSERT 2']]);
});

it('a cursor over a write carries its context, once for all of its pages', async () => {
  const { client, wal } = await pgBench();
  await runWithBemiContext(ALICE, async () => {
    const cursor = client.query(new Cursor('INSERT INTO t SELECT generate_series(1, 5) RETURNING id'));
    expect(await cursor.read(2)).toHaveLength(2);
    expect(await cursor.read(9)).toHaveLength(3);
    expect(await cursor.read(1)).toEqual([]);
    await cursor.close();
    await client.query('INSERT INTO t VALUES (6)');
  });
  expect((await wal.take()).map((transaction) => transaction.length)).toEqual([6, 2]);
});

it('notifications are heard, and a query_timeout is the one of pg', async () => {
  const { client, wal } = await pgBench();
  await client.query('LISTEN here');
  const heard = once(client, 'notification');
  await runWithBemiContext(ALICE, async () => {
    await client.query("INSERT INTO t VALUES (1); NOTIFY here, 'x'");
    const slow = { text: 'INSERT INTO t SELECT 2 FROM pg_sleep(0.5)', query_timeout: 50 };
    await expect(client.query(slow)).rejects.toThrow('Query read timeout');
  });
  expect((await heard)[0]).toMatchObject({ channel: 'here', payload: 'x' });
  await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES (3)'));
  // pg gives up waiting; the server does not, and so it is recorded in the right name.
  expect(await wal.take()).toEqual([
    [ALICE, 'INSERT 1'],
    [ALICE, 'INSERT 2'],
    [BOB, 'INSERT 3'],
  ]);
});

it('a client that is thrown away, or loses its server, is replaced by the pool', async () => {
  const { database, client, wal } = await pgBench();
  const pool = createPool({ connectionString: database.url, max: 1 });
  onTestFinished(() => pool.end());
  const failed = once(pool, 'error');
  await runWithBemiContext(ALICE, async () => {
    const first = await pool.connect();
    await first.query('INSERT INTO t VALUES ($1)', [1]);
    first.release(new Error('thrown away'));
    const second = await pool.query('INSERT INTO t VALUES ($1) RETURNING pg_backend_pid() AS pid', [2]);
    await client.query('SELECT pg_terminate_backend($1)', [second.rows[0].pid]);
    expect((await failed)[0]).toMatchObject({ code: '57P01' });
    await pool.query('INSERT INTO t VALUES ($1)', [3]);
    const third = await pool.connect();
    third.on('error', () => undefined);
    await third.query("SET idle_in_transaction_session_timeout = '50ms'");
    await third.query('BEGIN');
    await third.query('INSERT INTO t VALUES (4)');
    await once(third, 'error');
    await expect(third.query('INSERT INTO t VALUES (5)')).rejects.toThrow();
    third.release(true);
    await pool.query('INSERT INTO t VALUES ($1)', [6]);
  });
  expect(await wal.take()).toEqual([1, 2, 3, 6].map((id) => [ALICE, `INSERT ${id}`]));
});
