import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ALICE, BOB, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';
import { createPool, wrapClient, wrapPool } from './pg.ts';

describe('a pool', () => {
  it('keeps a hundred concurrent requests apart, on few connections', async () => {
    const { database, wal } = await pgBench();
    const pool = createPool({ connectionString: database.url, max: 4 });
    onTestFinished(() => pool.end());
    const requests = Array.from({ length: 100 }, (_, id) => id);
    await Promise.all(
      requests.map((id) =>
        runWithBemiContext({ request: id }, async () => {
          if (id % 3 === 0) await pool.query('INSERT INTO t VALUES ($1)', [id]);
          else if (id % 3 === 1) await inTransaction(pool, id);
          else await withCallback(pool, id);
        }),
      ),
    );
    const transactions = await wal.take();
    expect(transactions).toHaveLength(100);
    expect(new Set(transactions)).toEqual(new Set(requests.map((id) => [{ request: id }, `INSERT ${id}`])));
  });

  it('takes no context from the request that gave the connection back', async () => {
    const { database, wal } = await pgBench();
    const pool = createPool({ connectionString: database.url, max: 1 });
    onTestFinished(() => pool.end());
    await Promise.all([
      runWithBemiContext(ALICE, () => pool.query('INSERT INTO t VALUES (1)')),
      pool.query('INSERT INTO t VALUES (2)'),
    ]);
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1'], ['INSERT 2']]);
  });

  it('is wrapped once, with the connections that it has already', async () => {
    const { database, wal } = await pgBench();
    const pool = new pg.Pool({ connectionString: database.url, max: 1 });
    onTestFinished(() => pool.end());
    await pool.query('SELECT 1');
    expect(wrapPool(wrapPool(pool))).toBe(pool);
    await runWithBemiContext(ALICE, () => pool.query('INSERT INTO t VALUES ($1)', [1]));
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1']]);
  });

  async function inTransaction(pool: pg.Pool, id: number): Promise<void> {
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES ($1)', [id]);
    await client.query('COMMIT');
    client.release();
  }

  function withCallback(pool: pg.Pool, id: number): Promise<void> {
    return new Promise((resolve, reject) => {
      pool.connect((error, client, done) => {
        if (error || client === undefined) return reject(error);
        client.query('INSERT INTO t VALUES ($1)', [id], (failed) => {
          done();
          if (failed) reject(failed);
          else resolve();
        });
      });
    });
  }
});

describe('pipeline mode', () => {
  it('keeps contexts and results apart that are under way at the same time', async () => {
    const { database, wal } = await pgBench();
    const client = wrapClient(new pg.Client({ connectionString: database.url, pipeline: true }));
    await client.connect();
    onTestFinished(() => client.end());
    const results = await Promise.allSettled([
      client.query('SELECT 1 AS id'),
      client.query('BEGIN'),
      runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES ($1) RETURNING id', [1])),
      client.query('INSERT INTO t VALUES (2) RETURNING id'),
      client.query('COMMIT'),
      runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1)', [1])),
      runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1) RETURNING id', [3])),
      client.query('SELECT 4 AS id'),
    ]);
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value.rows : 'failed'))).toEqual([
      [{ id: 1 }],
      [],
      [{ id: 1 }],
      [{ id: 2 }],
      [],
      'failed',
      [{ id: 3 }],
      [{ id: 4 }],
    ]);
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1', {}, 'INSERT 2'],
      [BOB, 'INSERT 3'],
    ]);
  });
});
