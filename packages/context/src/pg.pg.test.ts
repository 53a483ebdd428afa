import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, failure, hasPipelineMode, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';

describe('outside of a transaction', () => {
  it('sends context and write as one transaction', async () => {
    const { client, wal } = await pgBench();
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
    const { client, wal } = await pgBench();
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
    const { client, wal } = await pgBench();
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
    const { client, wal } = await pgBench();
    await runWithBemiContext(ALICE, async () => {
      await client.query('BEGIN; INSERT INTO t VALUES (1); COMMIT');
      await client.query('SELECT 1; INSERT INTO t VALUES (2)');
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (3); COMMIT');
    });
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1'], [ALICE, 'INSERT 2'], ['INSERT 3']]);
  });

  it('sends named statements, which are prepared once', async () => {
    const { client, wal } = await pgBench();
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
    const { rows } = await client.query("SELECT name FROM pg_prepared_statements WHERE name <> '_bemi_emit'");
    expect(rows).toEqual([{ name: 'insert-t' }]);
  });

  it('leaves a named statement that failed free for another text', async () => {
    const { client, wal } = await pgBench();
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
      const { client, wal } = await pgBench();
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
    const { client, wal } = await pgBench();
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
    const { client, wal } = await pgBench();
    const values = 'no array' as unknown as unknown[];
    await runWithBemiContext(ALICE, async () => {
      await expect(client.query({ text: 'INSERT INTO t VALUES ($1)', values })).rejects.toThrow(
        'must be an array',
      );
      // Older versions hang when a value can't be written, and notice a wrong callback only when they call it.
      if (hasPipelineMode()) {
        const cycle: unknown[] = [];
        cycle.push({ cycle });
        await expect(client.query('INSERT INTO t VALUES (1, $1)', [cycle[0]])).rejects.toThrow(/circular/i);
        expect(() => client.query('INSERT INTO t VALUES (1)', [], 'no function' as never)).toThrow(TypeError);
      }
      await client.query('INSERT INTO t VALUES ($1)', [1]);
    });
    expect((await wal.take()).at(-1)).toEqual([ALICE, 'INSERT 1']);
  });

  it('by a timeout leaves nothing', async () => {
    const { client, wal } = await pgBench();
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
    const { client, wal } = await pgBench();
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
