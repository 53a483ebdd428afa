/**
 * What applications do by postgres.js, each of its ways to run a query: for a run with a context and a run by plain
 * postgres.js to be compared. The table is `t (id, v, n)`, where n must not be negative.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type postgres from 'postgres';

export interface ScriptBench {
  readonly sql: postgres.Sql;
  /** In a directory of the test's own. */
  readonly file: string;
  /** Whether the database is at work on `pg_sleep`. */
  readonly isAsleep: () => Promise<boolean>;
}

const UNSENDABLE = {
  toString: () => {
    throw new Error('no');
  },
};

/** Gives what the application sees. */
export type Script = (bench: ScriptBench) => Promise<unknown>;

export const scripts: Readonly<Record<string, Script>> = {
  'a tagged template': ({ sql }) => sql`INSERT INTO t VALUES (${1}, ${'a'}), (2, ${null}) RETURNING *`,
  'a template without values': ({ sql }) => sql`INSERT INTO t VALUES (1, 'a')`,
  'a template that is used again': async ({ sql }) => {
    const insert = (id: number) => sql`INSERT INTO t VALUES (${id}) RETURNING id`;
    return [await insert(1), await insert(2), await insert(3)];
  },
  'helpers for rows and columns': async ({ sql }) => [
    await sql`INSERT INTO t ${sql(
      [
        { id: 1, v: 'a' },
        { id: 2, v: 'b' },
      ],
      'id',
      'v',
    )} RETURNING ${sql(['id', 'v'])}`,
    await sql`UPDATE t SET ${sql({ v: 'c', n: 3 }, 'v', 'n')} WHERE id IN ${sql([1, 2])}`,
    await sql`SELECT ${sql('id')} FROM ${sql('t')} ORDER BY id`,
  ],
  fragments: async ({ sql }) => {
    const later = sql`id > ${1}`;
    const where = (all: boolean) => (all ? sql`` : sql`WHERE ${later}`);
    await sql`INSERT INTO t VALUES (1), (2)`;
    return [await sql`UPDATE t SET v = 'x' ${where(false)}`, await sql`DELETE FROM t ${where(true)}`];
  },
  'parameters of all sorts': ({ sql }) =>
    sql`INSERT INTO kinds ${sql({
      j: sql.json({ a: [1, "it's"] }) as never,
      a: sql.array([1, 2, 3]) as never,
      d: new Date(0),
      b: Buffer.from([0, 1, 255]),
      big: sql.typed(2n ** 60n, 20) as never,
    })} RETURNING *`,
  'text by unsafe': async ({ sql }) => [
    await sql.unsafe("INSERT INTO t VALUES (1, 'ä') RETURNING v"),
    await sql.unsafe('UPDATE t SET v = $1 WHERE id = $2 RETURNING *', ['b', 1]),
    await sql.unsafe('UPDATE t SET v = $1 WHERE id = $2', ['c', 1], { prepare: true }),
    await sql.unsafe('UPDATE t SET v = $1 WHERE id = $2', ['d', 1], { prepare: true }),
    await sql.unsafe('DELETE FROM t').values(),
  ],
  'several statements': async ({ sql }) => [
    await sql.unsafe("INSERT INTO t VALUES (1), (2); UPDATE t SET v = 'b' RETURNING id; SELECT 7 AS seven"),
    await sql`INSERT INTO t VALUES (3); DELETE FROM t WHERE id = 1; SELECT id FROM t ORDER BY id`.simple(),
    await sql.unsafe('BEGIN; INSERT INTO t VALUES (4); COMMIT; SELECT id FROM t ORDER BY id'),
  ],
  'a file': async ({ sql, file }) => {
    writeFileSync(file, 'INSERT INTO t VALUES (1) RETURNING id');
    const first = await sql.file(file);
    writeFileSync(file, 'INSERT INTO t VALUES ($1) RETURNING id');
    const second = await sql.file(file, [2]);
    const missing = await sql.file(`${file}.missing`).catch(({ code }: { code: string }) => code);
    return [first, second, missing];
  },
  'rows as values, raw, by a callback': async ({ sql }) => {
    const seen: unknown[] = [];
    const insert = (id: number) => sql`INSERT INTO t VALUES (${id}, 'a'), (${id + 1}) RETURNING id, v`;
    const fragment = sql`, v = 'z'`;
    const each = await insert(1).forEach((row) => void seen.push(row));
    return [
      each,
      seen,
      await insert(3).values(),
      await insert(5).raw(),
      await sql`UPDATE t SET n = 1 ${fragment}`,
    ];
  },
  describe: async ({ sql }) => [
    await sql`INSERT INTO t VALUES (${1}, ${'a'}) RETURNING id, v`
      .describe()
      .then(({ types, columns }) => [types, columns.map(({ name }) => name)]),
    await sql`INSERT INTO t VALUES (${1}, ${'a'}) RETURNING id, v`,
  ],
  cursors: async ({ sql }) => {
    const rows = (count: number, from: number) => sql`
      INSERT INTO t SELECT generate_series(${from}::int, ${from + count - 1}::int) RETURNING id`;
    const seen: unknown[] = [];
    for await (const some of rows(5, 1).cursor(2)) seen.push(Array.from(some));
    await rows(5, 11).cursor(3, (some) => void seen.push(Array.from(some)));
    await rows(5, 21).cursor((some) => {
      seen.push(Array.from(some));
      return sql.CLOSE as never;
    });
    for await (const some of rows(5, 31).cursor(2)) {
      seen.push(Array.from(some));
      break;
    }
    const failed = await rows(5, 41)
      .cursor(2, () => {
        throw new Error('enough');
      })
      .catch(({ message }: Error) => message);
    return [seen, failed];
  },
  'a query that is executed and awaited later': async ({ sql }) => {
    const first = sql`INSERT INTO t VALUES (1)`.execute();
    const second = sql`INSERT INTO t VALUES (2)`.execute();
    return [await second, await first];
  },
  'many at once': ({ sql }) =>
    Promise.all(
      Array.from({ length: 50 }, (_, id) =>
        id % 3 === 0 ? sql`SELECT ${id}::int AS id` : sql`INSERT INTO t VALUES (${id}, ${'a'}) RETURNING id`,
      ),
    ),
  'a transaction': ({ sql }) =>
    sql.begin(async (transaction) => {
      const inserted = await transaction`INSERT INTO t VALUES (${1}) RETURNING id`;
      const read = await transaction`SELECT * FROM t`;
      await transaction.unsafe("UPDATE t SET v = 'x'");
      await transaction`DELETE FROM t WHERE id = ${5}`;
      return { inserted: [...inserted], read: [...read] };
    }),
  'a transaction of queries that are not awaited': ({ sql }) =>
    sql.begin((transaction) => [
      transaction`INSERT INTO t VALUES (${1}) RETURNING id`,
      transaction`INSERT INTO t VALUES (2)`,
      transaction`SELECT * FROM t ORDER BY id`,
      transaction.unsafe('UPDATE t SET n = 1; SELECT 1 AS one'),
      transaction`UPDATE t SET v = ${'x'} RETURNING v`,
    ]),
  'a transaction with options': async ({ sql }) => [
    await sql.begin(
      'isolation level serializable',
      (transaction) => transaction`INSERT INTO t VALUES (1) RETURNING id`,
    ),
    await code(sql.begin('read only', (transaction) => transaction`INSERT INTO t VALUES (2)`)),
  ],
  'a transaction that fails': async ({ sql }) => [
    await code(
      sql.begin(async (transaction) => {
        await transaction`INSERT INTO t VALUES (1)`;
        await transaction`INSERT INTO t VALUES (1)`;
      }),
    ),
    await code(
      sql.begin(async (transaction) => {
        await transaction`INSERT INTO t VALUES (2)`;
        throw Object.assign(new Error('no'), { code: 'changed my mind' });
      }),
    ),
    await code(
      sql.begin((transaction) => [
        transaction`INSERT INTO t VALUES (3, NULL, -1)`,
        transaction`INSERT INTO t VALUES (4)`,
      ]),
    ),
    await code(
      sql.begin(async (transaction) => {
        await transaction`INSERT INTO t VALUES (5, NULL, -1)`.catch(() => undefined);
        return await transaction`INSERT INTO t VALUES (6)`;
      }),
    ),
    await sql`SELECT count(*)::int AS n FROM t`,
  ],
  savepoints: ({ sql }) =>
    sql.begin(async (transaction) => {
      await transaction.savepoint('one', (inner) => inner`INSERT INTO t VALUES (1)`);
      const failed = await code(
        transaction.savepoint(async (inner) => {
          await inner`INSERT INTO t VALUES (2)`;
          await inner`INSERT INTO t VALUES (2)`;
        }),
      );
      await transaction`INSERT INTO t VALUES (3)`;
      await code(
        transaction.savepoint(async (inner) => {
          await inner`INSERT INTO t VALUES (4)`;
          await inner.savepoint((innermost) => [
            innermost`INSERT INTO t VALUES (5)`,
            innermost`SELECT 1 AS one`,
          ]);
          throw Object.assign(new Error('no'), { code: 'no' });
        }),
      );
      const template = transaction.savepoint as unknown as (...args: unknown[]) => Promise<unknown[]>;
      const last = await template`INSERT INTO t VALUES (${6}) RETURNING id`;
      return [failed, Array.from(last)];
    }),
  'two phases': async ({ sql }) => {
    const name = `p${Math.random().toString(36).slice(2)}`;
    const result = await code(
      sql.begin(async (transaction) => {
        await transaction`INSERT INTO t VALUES (1)`;
        await transaction.prepare(name);
      }),
    );
    return [result, await code(sql.unsafe(`COMMIT PREPARED '${name}'`))];
  },
  'a reserved connection': async ({ sql }) => {
    const reserved = await sql.reserve();
    try {
      await reserved`BEGIN`;
      const [first] = await reserved`INSERT INTO t VALUES (${1}) RETURNING id`;
      await reserved.unsafe('ROLLBACK');
      await reserved`INSERT INTO t VALUES (2)`;
      return [first, await reserved`SELECT id FROM t`];
    } finally {
      reserved.release();
    }
  },
  'a text that ends a transaction that failed': async ({ sql }) => {
    const reserved = await sql.reserve();
    await reserved`BEGIN`;
    const failed = [await code(reserved`SELECT 1 / 0`), await code(reserved`INSERT INTO t VALUES (1)`)];
    const ended = await reserved.unsafe('ROLLBACK; DELETE FROM t WHERE false RETURNING id');
    reserved.release();
    return [failed, ended];
  },
  'BEGIN without a connection of its own': ({ sql }) => code(sql`BEGIN`),
  'COPY in and out': async ({ sql }) => {
    const writable = await sql`COPY t (id, v) FROM STDIN`.writable();
    await pipeline(['1\ta\n', '2\tb\n', '3\t\\N\n'], writable);
    const readable = await sql`COPY t (id, v) TO STDOUT`.readable();
    let text = '';
    for await (const chunk of readable) text += String(chunk);
    return text;
  },
  'COPY that is given up': async ({ sql }) => {
    const writable = await sql`COPY t FROM STDIN`.writable();
    writable.on('error', () => undefined);
    writable.write('1\ta\t1\n');
    writable.destroy(new Error('enough'));
    await once(writable, 'close');
    return sql`SELECT count(*)::int AS n FROM t`;
  },
  'violated constraints': async ({ sql }) => {
    await sql`INSERT INTO t VALUES (1)`;
    return [
      await whole(sql`INSERT INTO t VALUES (${1})`),
      await whole(sql`INSERT INTO t VALUES (2, 'a', -1)`),
      await whole(sql.unsafe('UPDATE t SET n = -1')),
      await whole(sql.unsafe('UPDATE t SET n = $1', [-1])),
      await sql`INSERT INTO t VALUES (${2})`,
    ];
  },
  'wrong SQL': async ({ sql }) => [
    await whole(sql`INSERT INTO t VALUES (1, missing)`),
    await whole(sql.unsafe('SELECT 1;\nUPDATE t SET missing = 1')),
    await whole(sql`INSERT INTO t VALUES (${'x'}, ${'y'})`),
    await whole(sql`DELETE FROM missing WHERE id = ${1}`),
    await whole(sql.unsafe('INSERT INTO')),
  ],
  'values that can’t be sent': async ({ sql }) => [
    await whole(sql`INSERT INTO t VALUES (${undefined as never})`),
    await whole(sql`INSERT INTO t VALUES (${1}, ${UNSENDABLE as never})`),
    await sql`INSERT INTO t VALUES (1)`,
  ],
  'a statement whose plan must be made anew': async ({ sql }) => {
    const insert = () => sql`INSERT INTO t (id) SELECT coalesce(max(id), 0) + 1 FROM t RETURNING *`;
    const first = await insert();
    await sql`ALTER TABLE t ADD COLUMN w int DEFAULT 7`;
    const second = await insert();
    await sql`ALTER TABLE t DROP COLUMN w`;
    return [first, second, await insert()];
  },
  'a write that is cancelled': async ({ sql, isAsleep }) => {
    await sql`INSERT INTO t VALUES (1)`;
    const slow = sql`UPDATE t SET v = pg_sleep(${30})::text`;
    const failed = code(slow);
    while (!(await isAsleep())) await new Promise((resolve) => setTimeout(resolve, 5));
    slow.cancel();
    return [await failed, await sql`UPDATE t SET v = 'x' RETURNING v`];
  },
  'a write that is cancelled before it begins': async ({ sql }) => {
    const query = sql`INSERT INTO t VALUES (1)`;
    query.cancel();
    return [await code(query), await sql`SELECT count(*)::int AS n FROM t`];
  },
  'names that are transformed': async ({ sql }) => {
    const camel = sql as unknown as postgres.Sql;
    return camel`INSERT INTO wide ${camel({ firstName: 'Ada', bornOn: '1815-12-10' })} RETURNING *`;
  },
  'LISTEN and NOTIFY': async ({ sql }) => {
    const heard = new Promise((resolve) => {
      sql.listen('changes', resolve).then(() => sql.notify('changes', 'insert into t'));
    });
    return heard;
  },
  'large objects': async ({ sql }) => {
    const object = await sql.largeObject();
    const writable = await object.writable();
    await new Promise((resolve) => writable.end(Buffer.from('content'), () => resolve(undefined)));
    await object.seek(0);
    const [{ data }] = (await object.read(100)) as unknown as [{ data: Buffer }];
    await object.close();
    return data.toString();
  },
};

async function code(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
    return 'it did not fail';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** Also what of an error isn't enumerable, and without what differs from run to run. */
async function whole(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
    return 'it did not fail';
  } catch (error) {
    const { message, name, query, parameters } = error as postgres.PostgresError;
    return { ...(error as object), message, name, query, parameters };
  }
}
