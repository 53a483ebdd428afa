import { once } from 'node:events';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { ALICE, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';
import { wrapPg } from './pg-module.ts';

it('makes clients and pools whose writes carry the context, however they are made', async () => {
  const { database, wal } = await pgBench();
  const wrapped = wrapPg(pg);
  class OwnPool extends wrapped.Pool {}
  const pools = [
    new wrapped.Pool({ connectionString: database.url }),
    new OwnPool({ connectionString: database.url }),
    new pg.Pool({ connectionString: database.url, Client: wrapped.Client }),
    new { ...wrapped }.Pool({ connectionString: database.url }),
  ];
  onTestFinished(async () => void (await Promise.all(pools.map((pool) => pool.end()))));
  const client = new wrapped.Client(database.url);
  await client.connect();
  onTestFinished(() => client.end());

  await runWithBemiContext(ALICE, async () => {
    for (const [id, pool] of pools.entries()) await pool.query('INSERT INTO t VALUES ($1)', [id]);
    await client.query('INSERT INTO t VALUES (9)');
  });
  expect(await wal.take()).toEqual([0, 1, 2, 3, 9].map((id) => [ALICE, `INSERT ${id}`]));
});

it('is the module otherwise, which stays as it is', async () => {
  const { database, wal } = await pgBench();
  const wrapped = wrapPg(pg);
  expect(wrapped.types).toBe(pg.types);
  expect(wrapped.escapeIdentifier('a"b')).toBe('"a""b"');
  expect(new wrapped.Client()).toBeInstanceOf(pg.Client);
  expect(new pg.Client()).toBeInstanceOf(wrapped.Client);
  const plain = new pg.Client(database.url);
  await plain.connect();
  onTestFinished(() => plain.end());
  await runWithBemiContext(ALICE, () => plain.query('INSERT INTO t VALUES (1)'));
  expect(await wal.take()).toEqual([['INSERT 1']]);
});

it('passes on what the carrier is told', async () => {
  const { database, wal } = await pgBench();
  const pool = new (wrapPg(pg, { writingFunctions: ['put'] }).Pool)({ connectionString: database.url });
  onTestFinished(() => pool.end());
  await pool.query(`CREATE FUNCTION put(int) RETURNS void LANGUAGE sql AS 'INSERT INTO t VALUES ($1)'`);
  await runWithBemiContext(ALICE, () => pool.query('SELECT put(1)'));
  expect(await wal.take()).toEqual([[ALICE, 'INSERT 1']]);
});

it('warns of native clients, which can carry no context', async () => {
  class NativeClient {}
  const native = { Client: NativeClient, Pool: pg.Pool };
  const wrapped = wrapPg(Object.create(pg, { native: { value: native, configurable: true } }) as typeof pg);
  const warned = once(process, 'warning');
  expect(new (wrapped.native?.Client ?? Object)()).toBeInstanceOf(NativeClient);
  expect(await warned).toMatchObject([{ code: 'BEMI_CONTEXT_NOT_CARRIED' }]);
  expect(wrapPg(pg).native).toBe(pg.native);
});
