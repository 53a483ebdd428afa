import { serverMajor } from '@bemi-db/test-kit/server-major';
import type pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ALICE, BOB, failure, type PgBench, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';
import { createPool } from './pg.ts';

/** In a function's body, so that no command tag tells. */
const FORGET = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$";

async function prepared(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM pg_prepared_statements');
  return rows.map(({ name }) => name);
}

async function benchWithStatement(): Promise<PgBench> {
  const bench = await pgBench();
  await runWithBemiContext(ALICE, () => bench.client.query('INSERT INTO t VALUES ($1)', [0]));
  expect(await prepared(bench.client)).toEqual(['_bemi_emit']);
  await bench.wal.take();
  return bench;
}

describe('the prepared statement of the messages', () => {
  it('serves many contexts', async () => {
    const { client, wal } = await benchWithStatement();
    const ids = Array.from({ length: 12 }, (_, id) => id + 1);
    for (const id of ids) {
      await runWithBemiContext({ id }, () => client.query('INSERT INTO t VALUES ($1)', [id]));
    }
    // PostgreSQL 12 and 13 don't count it.
    if (serverMajor() >= 14) {
      const { rows } = await client.query(`
        SELECT generic_plans + custom_plans >= 12 AS used FROM pg_prepared_statements`);
      expect(rows).toEqual([{ used: true }]);
    }
    expect(await wal.take()).toEqual(ids.map((id) => [{ id }, `INSERT ${id}`]));
  });

  it.each(['DISCARD ALL', 'DEALLOCATE ALL', 'DEALLOCATE _bemi_emit', FORGET])(
    'may be gone, by %s: each write is done, and once',
    async (forget) => {
      const { client, wal } = await benchWithStatement();
      const heard: unknown[] = [];
      client.on('error', (error) => heard.push(error));
      await client.query(forget);
      await runWithBemiContext(ALICE, async () => {
        const { rows, rowCount } = await client.query('INSERT INTO t VALUES ($1) RETURNING id', [1]);
        expect({ rows, rowCount }).toEqual({ rows: [{ id: 1 }], rowCount: 1 });
        await client.query('INSERT INTO t VALUES (2)');
        await client.query(forget.replace('_bemi_emit', 'ALL'));
        const named = { name: 'insert-t', text: 'INSERT INTO t VALUES ($1)' };
        await client.query({ ...named, values: [3] });
        await client.query({ ...named, values: [4] });
      });
      await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1)', [5]));
      expect(await wal.take()).toEqual([
        [ALICE, 'INSERT 1'],
        [ALICE, 'INSERT 2'],
        [ALICE, 'INSERT 3'],
        [ALICE, 'INSERT 4'],
        [BOB, 'INSERT 5'],
      ]);
      expect(heard).toEqual([]);
    },
  );

  it('may be gone when the write fails: its error is its own', async () => {
    const { client, wal } = await benchWithStatement();
    await client.query(FORGET);
    await runWithBemiContext(ALICE, async () => {
      const failed = await failure(client.query('INSERT INTO t VALUES ($1, NULL, -1)', [1]));
      expect(failed).toMatchObject({ code: '23514' });
      expect(failed.stack).toContain('pg-prepared.pg.test.ts');
      await client.query(FORGET);
      await client.query('INSERT INTO t VALUES ($1)', [2]);
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 2']]);
  });

  it('may be gone within a transaction, where an error would end it', async () => {
    const { client, wal } = await benchWithStatement();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN');
      await client.query('INSERT INTO t VALUES ($1)', [1]);
      await client.query(FORGET);
      await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1)', [2]));
      await client.query('COMMIT');
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', BOB, 'INSERT 2']]);
  });

  it('may be another one of the same name', async () => {
    const { database, wal } = await pgBench();
    const pool = createPool({ connectionString: database.url, max: 1 });
    onTestFinished(() => pool.end());
    await pool.query('PREPARE _bemi_emit AS DELETE FROM t');
    await runWithBemiContext(ALICE, async () => {
      await pool.query('INSERT INTO t VALUES ($1)', [1]);
      await pool.query('INSERT INTO t VALUES ($1)', [2]);
    });
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1'],
      [ALICE, 'INSERT 2'],
    ]);
  });

  it('is not left by a client that sends no context', async () => {
    const { client } = await pgBench();
    await client.query('INSERT INTO t VALUES ($1)', [1]);
    expect(await prepared(client)).toEqual([]);
  });
});

describe('a message that waits for its write', () => {
  const WITHOUT_ROWS = [
    'UPDATE t SET v = $1 WHERE id < 0',
    '/* nobody */ DELETE FROM t WHERE v = $1',
    'INSERT INTO t (id, v) VALUES (0, $1) ON CONFLICT DO NOTHING',
    ...(serverMajor() >= 15
      ? ['MERGE INTO t USING (SELECT $1::text AS v) s ON t.v = s.v WHEN MATCHED THEN DELETE']
      : []),
    'WITH gone AS (DELETE FROM t WHERE v = $1 RETURNING id) SELECT * FROM gone',
    'INSERT INTO t SELECT id FROM t WHERE v = $1 RETURNING id',
  ];

  it('is not sent where no row is written', async () => {
    const { client, wal } = await benchWithStatement();
    await runWithBemiContext(ALICE, async () => {
      for (const text of WITHOUT_ROWS) {
        const { rowCount } = await client.query(text, ['nobody']);
        expect(rowCount, text).toBe(0);
        expect(await wal.takeAsWritten(), text).toEqual([]);
      }
      await client.query('INSERT INTO t VALUES ($1)', [1]);
    });
    expect(await wal.takeAsWritten()).toEqual([['INSERT 1', ALICE]]);
  });

  it('waits for no more than one statement: in a transaction it goes ahead', async () => {
    const { client, wal } = await benchWithStatement();
    await client.query('BEGIN');
    await runWithBemiContext(ALICE, () => client.query('UPDATE t SET v = $1 WHERE id < 0', ['nobody']));
    await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES ($1)', [1]));
    await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1)', [2]));
    await client.query('COMMIT');
    expect(await wal.takeAsWritten()).toEqual([[ALICE, 'INSERT 1', BOB, 'INSERT 2']]);
  });

  it('is of the transaction that fails at its end', async () => {
    const { client, wal } = await benchWithStatement();
    await client.query('CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    await wal.take();
    await runWithBemiContext(ALICE, async () => {
      await client.query('INSERT INTO late VALUES ($1)', [1]);
      const failed = await failure(client.query('INSERT INTO late VALUES ($1)', [1]));
      expect(failed).toMatchObject({ code: '23505', constraint: 'late_id_key' });
      await client.query('INSERT INTO late VALUES ($1)', [2]);
    });
    expect(await wal.takeAsWritten()).toEqual([
      ['INSERT 1', ALICE],
      ['INSERT 2', ALICE],
    ]);
  });

  it('does not wait for a procedure, which may commit inside', async () => {
    const { database, wal } = await benchWithStatement();
    const pool = createPool({ connectionString: database.url, max: 1 }, { call: true });
    onTestFinished(() => pool.end());
    await pool.query(`CREATE PROCEDURE put(int) LANGUAGE sql AS 'INSERT INTO t VALUES ($1)'`);
    await pool.query(`CREATE PROCEDURE put_and_commit(int) LANGUAGE plpgsql AS
      'BEGIN INSERT INTO t VALUES ($1); COMMIT; INSERT INTO t VALUES ($1 + 1); END'`);
    await runWithBemiContext(ALICE, async () => {
      await pool.query('CALL put($1)', [1]);
      // Before PostgreSQL 18 it may commit: what comes after that has no context.
      const call = pool.query('CALL put_and_commit($1)', [2]);
      if (serverMajor() >= 18) expect(await failure(call)).toMatchObject({ code: '2D000' });
      else await call;
    });
    const done = serverMajor() >= 18 ? [] : [[ALICE, 'INSERT 2'], ['INSERT 3']];
    expect(await wal.takeAsWritten()).toEqual([[ALICE, 'INSERT 1'], ...done]);
  });
});

it('sends a message and its write in one piece', async () => {
  const { client } = await benchWithStatement();
  const { stream } = (client as unknown as { connection: { stream: NodeJS.WritableStream } }).connection;
  const written: unknown[] = [];
  const write = stream.write;
  stream.write = ((...args: Parameters<typeof write>) => {
    written.push(args[0]);
    return write.apply(stream, args);
  }) as typeof write;
  await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES ($1)', [1]));
  await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES (2)'));
  expect(written).toHaveLength(2);
  await client.query('SELECT $1::int', [1]);
  expect(written.length).toBeGreaterThan(3);
});
