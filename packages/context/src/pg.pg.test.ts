import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type DecodedWal, decodeWal } from '../test/decoded-wal.ts';
import { runWithBemiContext } from './context.ts';
import { createPool, wrapClient, wrapPool } from './pg.ts';

const ALICE = { userId: 'alice' };
const BOB = { userId: 'bob' };

interface Bench {
  readonly database: TestDatabase;
  readonly client: pg.Client;
  readonly wal: DecodedWal;
}

async function bench(): Promise<Bench> {
  const database = await createDatabase();
  const client = wrapClient(await database.connect());
  await client.query('CREATE TABLE t (id int PRIMARY KEY, v text, n int CHECK (n >= 0))');
  return { database, client, wal: await decodeWal(database) };
}

async function failure(work: Promise<unknown>): Promise<pg.DatabaseError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof pg.DatabaseError)) throw new Error('It did not fail, or not in the database.');
  return error;
}

describe('outside of a transaction', () => {
  it('sends context and write as one transaction', async () => {
    const { client, wal } = await bench();
    const result = await runWithBemiContext(ALICE, () =>
      client.query('INSERT INTO t VALUES ($1, $2), (2, $2) RETURNING id, v', [1, 'a']),
    );
    expect(result).toMatchObject({
      command: 'INSERT',
      rowCount: 2,
      rows: [
        { id: 1, v: 'a' },
        { id: 2, v: 'a' },
      ],
    });
    expect(result.fields.map((field) => field.name)).toEqual(['id', 'v']);
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', 'INSERT 2']]);
  });

  it('puts the context before text without parameters', async () => {
    const { client, wal } = await bench();
    await runWithBemiContext(ALICE, async () => {
      const result = await client.query("INSERT INTO t VALUES (1, 'a') RETURNING id");
      expect(result).toMatchObject({ command: 'INSERT', rows: [{ id: 1 }] });
      await client.query('UPDATE t SET v = NULL');
      await client.query('TRUNCATE t');
    });
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1'],
      [ALICE, 'UPDATE 1'],
      [ALICE, 'TRUNCATE'],
    ]);
  });

  it('gives the results of several statements as pg does', async () => {
    const { client, wal } = await bench();
    const results = (await runWithBemiContext(ALICE, () =>
      client.query("INSERT INTO t VALUES (1); UPDATE t SET v = 'b' RETURNING v; SELECT 7 AS seven"),
    )) as unknown as pg.QueryResult[];
    expect(results.map((result) => [result.command, result.rows])).toEqual([
      ['INSERT', []],
      ['UPDATE', [{ v: 'b' }]],
      ['SELECT', [{ seven: 7 }]],
    ]);
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', 'UPDATE 1']]);
  });

  it('goes before a BEGIN in the same text, and before a write behind a read', async () => {
    const { client, wal } = await bench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN; INSERT INTO t VALUES (1); COMMIT');
      await client.query('SELECT 1; INSERT INTO t VALUES (2)');
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (3); COMMIT');
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1'], [ALICE, 'INSERT 2'], ['INSERT 3']]);
  });

  it('sends named statements, which are prepared once', async () => {
    const { client, wal } = await bench();
    const insert = (id: number) => ({ name: 'insert-t', text: 'INSERT INTO t VALUES ($1)', values: [id] });
    await runWithBemiContext(ALICE, async () => {
      await client.query(insert(1));
      await client.query(insert(2));
      await client.query({ name: 'insert-t', values: [3] } as unknown as pg.QueryConfig);
    });
    await client.query(insert(4));
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1'],
      [ALICE, 'INSERT 2'],
      [ALICE, 'INSERT 3'],
      ['INSERT 4'],
    ]);
    const { rows } = await client.query('SELECT name FROM pg_prepared_statements');
    expect(rows).toEqual([{ name: 'insert-t' }]);
  });

  it('leaves a named statement that failed free for another text', async () => {
    const { client, wal } = await bench();
    await runWithBemiContext(ALICE, async () => {
      const named = { name: 'insert-t', values: [1] };
      expect(
        await failure(client.query({ ...named, text: 'INSERT INTO nowhere VALUES ($1)' })),
      ).toMatchObject({
        code: '42P01',
        position: '13',
      });
      await client.query({ ...named, text: 'INSERT INTO t VALUES ($1)' });
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1']]);
  });

  it.each(['extended', 'rows', 'array', 'callback', 'submittable'])(
    'knows every way to ask: %s',
    async (way) => {
      const { client, wal } = await bench();
      const ask: Record<string, () => Promise<unknown>> = {
        extended: () =>
          client.query({ text: 'INSERT INTO t VALUES (1)', queryMode: 'extended' } as pg.QueryConfig),
        rows: () =>
          client.query({
            text: 'INSERT INTO t SELECT generate_series(1, 3) RETURNING id',
            rows: 1,
          } as pg.QueryConfig),
        array: () =>
          client
            .query({ text: 'INSERT INTO t VALUES ($1) RETURNING id, v', values: [1], rowMode: 'array' })
            .then(({ rows }) => expect(rows).toEqual([[1, null]])),
        callback: () =>
          new Promise<void>((resolve, reject) => {
            const answer: unknown = client.query('INSERT INTO t VALUES ($1)', [1], (error, result) => {
              if (error || result.rowCount !== 1 || answer !== undefined) reject(error);
              else resolve();
            });
          }),
        submittable: () =>
          new Promise<void>((resolve, reject) => {
            const query = new pg.Query('INSERT INTO t VALUES ($1) RETURNING id', [1]);
            query.on('end', () => resolve()).on('error', reject);
            expect(client.query(query)).toBe(query);
          }),
      };
      await runWithBemiContext(ALICE, () => ask[way]!());
      expect((await wal.take())[0]?.slice(0, 2)).toEqual([ALICE, 'INSERT 1']);
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    },
  );
});

describe('an error', () => {
  it.each([
    ['a constraint', 'INSERT INTO t VALUES ($1, NULL, -1)', [1], { code: '23514' }],
    ['a parse error', 'INSERT INTO t valuess($1)', [1], { code: '42601', position: '15' }],
    ['a value', 'INSERT INTO t VALUES ($1)', ['x'], { code: '22P02' }],
    ['a parse error in plain text', 'INSERT INTO t valuess(1)', undefined, { code: '42601', position: '15' }],
    [
      'a name in plain text',
      'UPDATE t SET v = 1; UPDATE t SET é = 1',
      undefined,
      { code: '42703', position: '34' },
    ],
    [
      'several statements',
      'INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)',
      undefined,
      { code: '23505' },
    ],
  ])('of %s is what it is without a context, and leaves nothing', async (_, text, values, expected) => {
    const { client, wal } = await bench();
    const plain = await failure(client.query(text, values));
    const error = await failure(runWithBemiContext(ALICE, () => client.query(text, values)));
    expect(error).toMatchObject(expected);
    // Its length is that of the server's message, in which the position may have a digit more.
    expect({ ...error, length: plain.length }).toEqual({ ...plain });
    expect(error.stack).toContain('pg.pg.test.ts');
    expect(await wal.take()).toEqual([]);

    await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES ($1)', [9]));
    expect(await wal.take()).toEqual([[BOB, 'INSERT 9']]);
  });

  it('of the driver itself is passed on', async () => {
    const { client, wal } = await bench();
    const values = 'no array' as unknown as unknown[];
    await runWithBemiContext(ALICE, async () => {
      await expect(client.query({ text: 'INSERT INTO t VALUES ($1)', values })).rejects.toThrow(
        'must be an array',
      );
      const cycle: unknown[] = [];
      cycle.push({ cycle });
      await expect(client.query('INSERT INTO t VALUES (1, $1)', [cycle[0]])).rejects.toThrow(/circular/i);
      expect(() => client.query('INSERT INTO t VALUES (1)', [], 'no function' as never)).toThrow(TypeError);
      await client.query('INSERT INTO t VALUES ($1)', [1]);
    });
    expect((await wal.take()).at(-1)).toEqual([ALICE, 'INSERT 1']);
  });

  it('by a timeout leaves nothing', async () => {
    const { client, wal } = await bench();
    await client.query("SET statement_timeout = '50ms'");
    const slow = runWithBemiContext(ALICE, () =>
      client.query('INSERT INTO t SELECT $1 FROM pg_sleep(5)', [1]),
    );
    expect(await failure(slow)).toMatchObject({ code: '57014' });
    await client.query('SET statement_timeout = 0');
    await client.query('INSERT INTO t VALUES (2)');
    expect(await wal.take()).toEqual([['INSERT 2']]);
  });
});

describe('in a transaction', () => {
  it('sends the context once', async () => {
    const { client, wal } = await bench();
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
    const { client, wal } = await bench();
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
    const { client, wal } = await bench();
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
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 2', ALICE, 'INSERT 3', 'INSERT 4']]);
  });

  it('goes on after an error that a savepoint caught', async () => {
    const { client, wal } = await bench();
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
    const { client, wal } = await bench();
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

  it('keeps contexts apart that are queued on one client', async () => {
    const { client, wal } = await bench();
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
});

describe('pipeline mode', () => {
  it('keeps contexts and results apart that are under way at the same time', async () => {
    const { database, wal } = await bench();
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

describe('what is left alone', () => {
  it('reads, also in a READ ONLY transaction', async () => {
    const { client, wal } = await bench();
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
    const { client, wal } = await bench();
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
    const { client, wal } = await bench();
    await client.query('INSERT INTO t VALUES (1)');
    await runWithBemiContext({}, () => client.query('INSERT INTO t VALUES (2)'));
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2']]);
  });

  it('a role that may not send messages: its writes succeed, also in a transaction', async () => {
    const { database, client, wal } = await bench();
    await client.query(
      `REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) FROM PUBLIC;
       CREATE ROLE ${database.name}_app LOGIN PASSWORD 'app'; GRANT INSERT ON t TO ${database.name}_app`,
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
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
    await runWithBemiContext(ALICE, async () => {
      await app.query('BEGIN');
      await app.query('INSERT INTO t VALUES ($1)', [1]);
      await app.query('COMMIT');
      await app.query('INSERT INTO t VALUES (2)');
    });
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2']]);
    expect(await warning).toMatchObject({ code: 'BEMI_CONTEXT_NOT_CARRIED' });
  });
});

describe('a pool', () => {
  it('keeps a hundred concurrent requests apart, on few connections', async () => {
    const { database, wal } = await bench();
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
    const { database, wal } = await bench();
    const pool = createPool({ connectionString: database.url, max: 1 });
    onTestFinished(() => pool.end());
    await Promise.all([
      runWithBemiContext(ALICE, () => pool.query('INSERT INTO t VALUES (1)')),
      pool.query('INSERT INTO t VALUES (2)'),
    ]);
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1'], ['INSERT 2']]);
  });

  it('is wrapped once, with the connections that it has already', async () => {
    const { database, wal } = await bench();
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

describe('a hostile context', () => {
  const hostile = {
    comment: '*/ OR true --',
    sql: `'; DROP TABLE t; --`,
    dollars: '$bemi$); DROP TABLE t; $$',
    backslash: String.raw`\'; DROP TABLE t; \\`,
    nul: 'a\0b',
    half: '\ud83e',
    letters: 'ß日本🩺',
    huge: 'x'.repeat(5_000_000),
    number: 1n << 80n,
    run() {},
  };

  it.each(['on', 'off'])('changes no statement, with standard_conforming_strings %s', async (setting) => {
    const { client, wal } = await bench();
    await client.query(`SET standard_conforming_strings = ${setting}`);
    await client.query('SET escape_string_warning = off');
    await runWithBemiContext(hostile, async () => {
      await client.query('INSERT INTO t VALUES ($1)', [1]);
      await client.query('INSERT INTO t VALUES (2)');
    });
    const messages = await wal.takeMessages();
    expect(messages).toHaveLength(2);
    expect(messages[0]).toBe(messages[1]);
    const { rows } = await client.query<{ stored: Record<string, unknown> }>('SELECT $1::jsonb AS stored', [
      messages[0],
    ]);
    const { comment, sql, dollars, backslash, letters } = hostile;
    expect(rows[0]?.stored).toMatchObject({
      comment,
      sql,
      dollars,
      backslash,
      letters,
      number: String(1n << 80n),
    });
    expect(Object.keys(rows[0]?.stored['_bemi_dropped'] as object).sort()).toEqual([
      '/half',
      '/huge',
      '/nul',
      '/run',
    ]);
  });
});
