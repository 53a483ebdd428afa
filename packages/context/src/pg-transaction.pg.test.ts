import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ALICE, BOB, failure, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';
import { wrapClient } from './pg.ts';

describe('in a transaction', () => {
  it('sends the context once', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN');
      await client.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
      await client.query('SELECT 1');
      await client.query('INSERT INTO t VALUES ($1)', [1]);
      await client.query('INSERT INTO t VALUES (2)');
      await client.query('UPDATE t SET v = $1', ['x']);
      await client.query('COMMIT');
      await client.query('DELETE FROM t WHERE id = 1');
    });
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1', 'INSERT 2', 'UPDATE 1', 'UPDATE 2'],
      [ALICE, 'DELETE 1'],
    ]);
  });

  it('sends it again when it is another one, and an empty one when there is none', async () => {
    const { client, wal } = await pgBench();
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (0)');
    await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES (1)'));
    await runWithBemiContext({ ...ALICE }, () => client.query('INSERT INTO t VALUES (2)'));
    await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES (3)'));
    await client.query('INSERT INTO t VALUES (4)');
    await client.query('INSERT INTO t VALUES (5)');
    await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES (6)'));
    await client.query('COMMIT');
    await client.query('INSERT INTO t VALUES (7)');
    expect(await wal.take()).toEqual([
      [
        'INSERT 0',
        ALICE,
        'INSERT 1',
        'INSERT 2',
        BOB,
        'INSERT 3',
        {},
        'INSERT 4',
        'INSERT 5',
        ALICE,
        'INSERT 6',
      ],
      ['INSERT 7'],
    ]);
  });

  it('sends it again after ROLLBACK TO, however that was asked for', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN; SAVEPOINT s');
      await client.query('INSERT INTO t VALUES ($1)', [1]);
      await client.query('/* undo */ ROLLBACK WORK TO SAVEPOINT s');
      await client.query('INSERT INTO t VALUES ($1)', [2]);
      await client.query('SAVEPOINT inner_one; UPDATE t SET n = 1; ROLLBACK TO inner_one');
      await client.query('INSERT INTO t VALUES ($1)', [3]);
      await client.query('RELEASE s');
      await client.query('INSERT INTO t VALUES ($1)', [4]);
      await client.query('COMMIT');
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 2', ALICE, 'INSERT 3', ALICE, 'INSERT 4']]);
  });

  it('says that there is none after ROLLBACK TO and RELEASE, where one from before may be in force', async () => {
    const { client, wal } = await pgBench();
    await client.query('BEGIN');
    await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES (1)'));
    await client.query('SAVEPOINT s');
    await client.query('ROLLBACK TO s');
    await client.query('INSERT INTO t VALUES (2)');
    await client.query('SAVEPOINT s2');
    await runWithBemiContext(BOB, () => client.query('UPDATE t SET n = 1 WHERE false'));
    await client.query('RELEASE s2');
    await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES (3)'));
    await client.query('COMMIT');
    // Of two messages and a change at one position, the change is between: without the second it would be nobody's.
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', {}, 'INSERT 2', BOB, BOB, 'INSERT 3']]);
  });

  it('goes on after an error that a savepoint caught', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN');
      await client.query('INSERT INTO t VALUES ($1)', [1]);
      await client.query('SAVEPOINT s');
      expect(await failure(client.query('INSERT INTO t VALUES ($1)', [1]))).toMatchObject({ code: '23505' });
      expect(await failure(client.query('INSERT INTO t VALUES ($1)', [2]))).toMatchObject({ code: '25P02' });
      await client.query('ROLLBACK TO s; INSERT INTO t VALUES (3)');
      await client.query('INSERT INTO t VALUES ($1)', [4]);
      await client.query('COMMIT');
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', 'INSERT 3', ALICE, 'INSERT 4']]);
  });

  it('starts anew after ROLLBACK and after AND CHAIN', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN');
      await client.query('INSERT INTO t VALUES ($1)', [1]);
      await client.query('ROLLBACK AND CHAIN');
      await client.query('INSERT INTO t VALUES ($1)', [2]);
      await client.query('COMMIT AND CHAIN');
      await client.query('INSERT INTO t VALUES ($1)', [3]);
      await client.query('ROLLBACK');
      await client.query('INSERT INTO t VALUES ($1)', [4]);
    });
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 2'],
      [ALICE, 'INSERT 4'],
    ]);
  });
});

describe('queued statements', () => {
  it('keep their contexts apart', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES (0)'));
    await Promise.all([
      client.query('BEGIN'),
      runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES ($1)', [1])),
      client.query('INSERT INTO t VALUES ($1)', [2]),
      runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1)', [3])),
      client.query('COMMIT'),
    ]);
    expect((await wal.take())[1]).toEqual([ALICE, 'INSERT 1', {}, 'INSERT 2', BOB, 'INSERT 3']);
  });

  it('have their context behind a ROLLBACK that is queued too', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN');
      await failure(client.query('INSERT INTO t VALUES ($1, NULL, -1)', [1]));
      await Promise.all([client.query('ROLLBACK'), client.query('INSERT INTO t VALUES ($1)', [2])]);
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 2']]);
  });
});

describe('what is left alone', () => {
  it('reads, also in a READ ONLY transaction', async () => {
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('SELECT $1::int', [1]);
      await client.query('SELECT * FROM t FOR UPDATE');
      await client.query('BEGIN READ ONLY');
      await client.query('SELECT 1');
      expect(await failure(client.query('INSERT INTO t VALUES ($1)', [1]))).toMatchObject({ code: '25006' });
      await client.query('ROLLBACK');
    });
    expect(await wal.take()).toEqual([]);
  });

  it('procedures and blocks that commit, and what needs no transaction', async () => {
    const { client, wal } = await pgBench();
    await client.query(`CREATE PROCEDURE twice() LANGUAGE plpgsql
      AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; INSERT INTO t VALUES (2); END $$`);
    await wal.take();
    await runWithBemiContext(ALICE, async () => {
      await client.query('CALL twice()');
      await client.query('DO $$ BEGIN DELETE FROM t WHERE id = 1; COMMIT; END $$');
      await client.query('VACUUM t -- ; insert into t values (1)');
    });
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2'], ['DELETE 1']]);
  });

  it('a client that never had a context', async () => {
    const { client, wal } = await pgBench();
    await client.query('INSERT INTO t VALUES (1)');
    await runWithBemiContext({}, () => client.query('INSERT INTO t VALUES (2)'));
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2']]);
  });

  it('a role that may not send messages: its writes succeed, also in a transaction', async () => {
    const { database, client, wal } = await pgBench();
    // Its arguments are others in PostgreSQL 17.
    await client.query(`DO $$ DECLARE emit regprocedure; BEGIN
      FOR emit IN SELECT oid FROM pg_proc WHERE proname = 'pg_logical_emit_message' LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', emit);
      END LOOP; END $$`);
    await client.query(
      `CREATE ROLE ${database.name}_app LOGIN PASSWORD 'app'; GRANT INSERT ON t TO ${database.name}_app`,
    );
    const app = wrapClient(new pg.Client(database.urlAs(`${database.name}_app`, 'app')));
    await app.connect();
    onTestFinished(async () => {
      const admin = new pg.Client(database.url);
      await app.end();
      await admin.connect();
      await admin.query(`DROP OWNED BY ${database.name}_app; DROP ROLE ${database.name}_app`);
      await admin.end();
    });
    const codes: unknown[] = [];
    const hear = (warning: Error & { code?: string }) => codes.push(warning.code);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    await runWithBemiContext(ALICE, async () => {
      await app.query('BEGIN');
      await app.query('INSERT INTO t VALUES ($1)', [1]);
      await app.query('COMMIT');
      await app.query('INSERT INTO t VALUES (2)');
    });
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2']]);
    expect(codes).toContain('BEMI_CONTEXT_NOT_CARRIED');
  });
});
