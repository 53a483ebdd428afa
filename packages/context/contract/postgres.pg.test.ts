import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { mergeBemiContext, runWithBemiContext } from '@bemi-db/context';
import { signMessage } from '@bemi-db/context/authentic-message';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { issueCertificate, makeAuthority } from '@bemi-db/test-kit/certificates';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import postgres from 'postgres';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type DecodedWal, decodeWal } from '../test/decoded-wal.ts';
import { hasPgBouncer, startPgBouncer, whyNot } from '../test/pgbouncer.ts';

const ALICE = { userId: 'alice' };
const BOB = { userId: 'bob' };

type Options = postgres.Options<Record<string, never>> & { readonly socket?: unknown };

interface Bench {
  readonly database: TestDatabase;
  readonly wal: DecodedWal;
  /** Carries contexts. */
  readonly sql: postgres.Sql;
  connect(options?: Options, url?: string): postgres.Sql;
}

async function bench(options?: Options): Promise<Bench> {
  const database = await createDatabase();
  const admin = await database.connect();
  await admin.query('CREATE TABLE t (id int PRIMARY KEY, v text, n int CHECK (n >= 0))');
  const connect = (more?: Options, url = database.url) => {
    const sql = wrapPostgres(postgres)(url, more);
    onTestFinished(() => sql.end({ timeout: 5 }));
    return sql as postgres.Sql;
  };
  return { database, wal: await decodeWal(database), sql: connect(options), connect };
}

describe('whose context', () => {
  it('is that of where a query begins, however late its result is awaited', async () => {
    const { sql, wal } = await bench({ max: 1 });
    await runWithBemiContext(ALICE, () => sql`INSERT INTO t VALUES (1)`);
    const begun = await runWithBemiContext(ALICE, () => ({ query: sql`INSERT INTO t VALUES (2)`.execute() }));
    await runWithBemiContext(BOB, async () => await begun.query);
    const made = await runWithBemiContext(ALICE, () => ({ query: sql`INSERT INTO t VALUES (3)` }));
    await runWithBemiContext(BOB, async () => await made.query);
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1'],
      [ALICE, 'INSERT 2'],
      [BOB, 'INSERT 3'],
    ]);
  });

  it('is that of where a query was made, if it begins outside of any', async () => {
    const { sql, wal } = await bench({ max: 1 });
    const { query } = await runWithBemiContext(ALICE, () => ({ query: sql`INSERT INTO t VALUES (${1})` }));
    const { text } = await runWithBemiContext(BOB, () => ({ text: sql.unsafe('INSERT INTO t VALUES (2)') }));
    await query;
    await text;
    await sql`INSERT INTO t VALUES (3)`;
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1'], [BOB, 'INSERT 2'], ['INSERT 3']]);
  });

  it('is kept while a query waits for a connection', async () => {
    const { sql, wal } = await bench({ max: 1 });
    const reserved = await sql.reserve();
    const waiting = [1, 2, 3].map((id) =>
      runWithBemiContext({ id }, () => sql`INSERT INTO t VALUES (${id})`),
    );
    await runWithBemiContext(BOB, () => reserved`INSERT INTO t VALUES (0)`);
    reserved.release();
    await Promise.all(waiting);
    expect(await wal.take()).toEqual([
      [BOB, 'INSERT 0'],
      [{ id: 1 }, 'INSERT 1'],
      [{ id: 2 }, 'INSERT 2'],
      [{ id: 3 }, 'INSERT 3'],
    ]);
  });

  it('stays with each of a hundred requests that share a pipeline', async () => {
    const { sql, wal } = await bench({ max: 2 });
    const ids = Array.from({ length: 100 }, (_, id) => id);
    await Promise.all(
      ids.map(async (id) => {
        const write = () =>
          id % 3 === 0 ? sql.unsafe(`INSERT INTO t VALUES (${id})`) : sql`INSERT INTO t VALUES (${id})`;
        if (id % 5 === 0) await write();
        else await runWithBemiContext({ id }, write);
        if (id % 7 === 0) await sql`SELECT 1`;
      }),
    );
    expect(new Set(await wal.take())).toEqual(
      new Set(ids.map((id) => (id % 5 === 0 ? [`INSERT ${id}`] : [{ id }, `INSERT ${id}`]))),
    );
  });
});

describe('in a transaction', () => {
  it('is sent once, before the first write, also of a pipeline', async () => {
    const { sql, wal } = await bench();
    await runWithBemiContext(ALICE, async () => {
      await sql.begin(async (transaction) => {
        await transaction`SELECT 1`;
        await transaction`INSERT INTO t VALUES (1)`;
        await transaction.unsafe('INSERT INTO t VALUES (2)');
        await transaction`INSERT INTO t VALUES (${3})`;
      });
      await sql.begin((transaction) => [4, 5, 6].map((id) => transaction`INSERT INTO t VALUES (${id})`));
    });
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1', 'INSERT 2', 'INSERT 3'],
      [ALICE, 'INSERT 4', 'INSERT 5', 'INSERT 6'],
    ]);
  });

  it('is sent again when it changes, and when a savepoint may have taken it back', async () => {
    const { sql, wal } = await bench();
    await runWithBemiContext(ALICE, () =>
      sql.begin(async (transaction) => {
        const failed = transaction.savepoint(async (inner) => {
          await inner`INSERT INTO t VALUES (1)`;
          await inner`INSERT INTO t VALUES (1)`;
        });
        await expect(failed).rejects.toMatchObject({ code: '23505' });
        await transaction`INSERT INTO t VALUES (2)`;
        mergeBemiContext({ reason: 'x' });
        await transaction`INSERT INTO t VALUES (3)`;
        await runWithBemiContext({}, () => transaction`INSERT INTO t VALUES (4)`);
      }),
    );
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 2', { ...ALICE, reason: 'x' }, 'INSERT 3', {}, 'INSERT 4'],
    ]);
  });

  it('does not outlive it', async () => {
    const { sql, wal } = await bench({ max: 1 });
    const changedMyMind = new Error('changed my mind');
    const failed = runWithBemiContext(ALICE, () =>
      sql.begin(async (transaction) => {
        await transaction`INSERT INTO t VALUES (1)`;
        throw changedMyMind;
      }),
    );
    await expect(failed).rejects.toBe(changedMyMind);
    await sql.begin((transaction) => transaction`INSERT INTO t VALUES (2)`);
    await sql`BEGIN`;
    await runWithBemiContext(BOB, () => sql`INSERT INTO t VALUES (3)`);
    await sql`COMMIT AND CHAIN`;
    await runWithBemiContext(BOB, () => sql`INSERT INTO t VALUES (4)`);
    await sql`COMMIT`;
    expect(await wal.take()).toEqual([['INSERT 2'], [BOB, 'INSERT 3'], [BOB, 'INSERT 4']]);
  });

  it('ends after ROLLBACK TO and RELEASE, where one from before may be in force', async () => {
    const { sql, wal } = await bench({ max: 1 });
    const run = (context: object, text: string) => runWithBemiContext({ ...context }, () => sql.unsafe(text));
    await sql`BEGIN`;
    await run(ALICE, 'INSERT INTO t VALUES (1)');
    await sql`SAVEPOINT a`;
    await sql`ROLLBACK TO a`;
    await sql`INSERT INTO t VALUES (2)`;
    await run(BOB, 'UPDATE t SET n = 1 WHERE false');
    await sql`RELEASE a`;
    await run(BOB, 'INSERT INTO t VALUES (3)');
    await sql`COMMIT`;
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', {}, 'INSERT 2', BOB, BOB, 'INSERT 3']]);
  });

  it('is sent in a pipeline that begins and ends transactions by itself', async () => {
    const { sql, wal } = await bench({ max: 1 });
    const run = (context: object, text: string) => runWithBemiContext({ ...context }, () => sql.unsafe(text));
    await sql`SELECT 1`;
    await Promise.all([
      run({}, 'BEGIN'),
      run(ALICE, 'INSERT INTO t VALUES (1)'),
      run(ALICE, 'COMMIT'),
      run(ALICE, 'BEGIN'),
      run(ALICE, 'SAVEPOINT a'),
      run(ALICE, 'INSERT INTO t VALUES (2)'),
      run(ALICE, 'ROLLBACK TO a'),
      run(ALICE, 'INSERT INTO t VALUES (3)'),
      run(BOB, 'COMMIT'),
      run(BOB, 'INSERT INTO t VALUES (4)'),
    ]);
    await sql`BEGIN`;
    await Promise.all([
      run(ALICE, 'SAVEPOINT a'),
      run(ALICE, 'INSERT INTO t VALUES (5)'),
      run(ALICE, 'ROLLBACK TO a'),
      run(ALICE, 'INSERT INTO t VALUES (6)'),
      run({}, 'COMMIT; BEGIN'),
      run(BOB, 'INSERT INTO t VALUES (7)'),
      run({}, 'INSERT INTO t VALUES (8)'),
    ]);
    await sql`COMMIT`;
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1'],
      [ALICE, 'INSERT 3'],
      [BOB, 'INSERT 4'],
      [ALICE, 'INSERT 6'],
      [BOB, 'INSERT 7', {}, 'INSERT 8'],
    ]);
  });
});

it('stores hostile contexts as they are given, and changes no statement', async () => {
  const { sql, wal } = await bench({ max: 1 });
  const context = {
    userId: `'; DROP TABLE t; --`,
    url: '*/ OR true --',
    quotes: `"'\`$$ $1 \\ $bemi$ \u0001`,
    words: 'ärztin 👩‍⚕️ \n\t',
    deep: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) as unknown,
  };
  const large = {
    text: 'x'.repeat(60_000),
    list: Array.from({ length: 5000 }, (_, index) => `\u{1f600}${index}`),
  };
  await runWithBemiContext(context, async () => {
    expect(await sql`INSERT INTO t VALUES (${1}, ${'a'}) RETURNING v`).toEqual([{ v: 'a' }]);
    expect(await sql.unsafe("UPDATE t SET v = '\u0001b\u0001' RETURNING v")).toEqual([
      { v: '\u0001b\u0001' },
    ]);
  });
  await runWithBemiContext(large, () => sql.unsafe('UPDATE t SET n = 1'));
  const [first, second, third] = await wal.take();
  expect([first, second]).toEqual([
    [context, 'INSERT 1'],
    [context, 'UPDATE 1'],
  ]);
  expect(third?.[0]).toHaveProperty('_bemi_dropped');
});

it('sends nothing for reads, and asks each connection once what it may send', async () => {
  const { sql, wal } = await bench({ max: 1 });
  await runWithBemiContext(ALICE, async () => {
    await sql`SELECT * FROM t`;
    await sql.begin('read only', (transaction) => transaction`SELECT * FROM t`);
  });
  expect(await wal.takeMessages()).toEqual([]);
});

it('leads from an error to the line that made the query', async () => {
  const { sql } = await bench();
  const error = await runWithBemiContext(ALICE, () =>
    sql`INSERT INTO t VALUES (${1}, 'a', -1)`.catch((reason: unknown) => reason),
  );
  expect(error).toBeInstanceOf(postgres.PostgresError);
  expect(error).toMatchObject({ code: '23514', constraint_name: 't_n_check' });
  expect((error as Error).stack).toMatch(/\n {4}at [^\n]*postgres\.pg\.test\.ts/);
  const positioned = await runWithBemiContext(ALICE, () =>
    sql.unsafe('UPDATE t\nSET missing = 1').catch((reason: unknown) => reason),
  );
  expect(positioned).toMatchObject({ code: '42703', position: '14' });
});

it('shows the options as they were given', async () => {
  const { connect, database } = await bench();
  const ssl = { rejectUnauthorized: false };
  const sql = connect({ ssl, max: 3 });
  expect(sql.options).toMatchObject({ ssl, max: 3, database: database.name, socket: undefined });
  expect({ ...connect().options }.ssl).toBe(false);
  expect(wrapPostgres(postgres).camel).toBe(postgres.camel);
});

it('shows nothing of it to debug, in results and in errors', async () => {
  const debugged: string[] = [];
  const { sql } = await bench({ max: 1, fetch_types: false, debug: (_, query) => void debugged.push(query) });
  await runWithBemiContext(ALICE, async () => {
    const { statement } = await sql.unsafe('INSERT INTO t VALUES (1)').simple();
    expect(statement.string).toBe('INSERT INTO t VALUES (1)');
    await sql`UPDATE t SET n = ${1}`;
    const failed = sql.unsafe('UPDATE t SET n = -1');
    await expect(failed).rejects.toMatchObject({ query: 'UPDATE t SET n = -1' });
  });
  expect(debugged).toEqual(['INSERT INTO t VALUES (1)', 'UPDATE t SET n = $1', 'UPDATE t SET n = -1']);
});

describe('over a connection', () => {
  it('whose bytes come one by one', async () => {
    const { connect, database, wal } = await bench();
    const sql = connect({ max: 1, socket: () => byteByByte(database.url) });
    await runWithBemiContext(ALICE, async () => {
      expect(await sql`INSERT INTO t VALUES (${1}, ${'ä'.repeat(300)}) RETURNING id`).toEqual([{ id: 1 }]);
      await expect(sql.unsafe('UPDATE t SET missing = 1')).rejects.toMatchObject({ position: '14' });
      await sql.begin((transaction) => [transaction`UPDATE t SET n = 1`, transaction`SELECT * FROM t`]);
    });
    expect(await wal.take()).toEqual([
      [ALICE, 'INSERT 1'],
      [ALICE, 'UPDATE 1'],
    ]);
  });

  it.each([
    ['require', () => 'require' as const],
    ['prefer', () => 'prefer' as const],
    ['an authority', (ca: string) => ({ ca })],
  ] as const)('with TLS: %s', async (_, ssl) => {
    const { connect, database, wal } = await bench();
    const { url, encrypted, authority } = await behindTls(database.url);
    const sql = connect({ ssl: ssl(authority), max: 1 }, url);
    await runWithBemiContext(ALICE, () => sql`INSERT INTO t VALUES (${1})`);
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1']]);
    expect(encrypted()).toBe(1);
  });

  it('with TLS that the server has not, or whose certificate is not believed', async () => {
    const { connect, database, wal } = await bench();
    await runWithBemiContext(ALICE, () => connect({ ssl: 'prefer', max: 1 })`INSERT INTO t VALUES (1)`);
    expect(await wal.take()).toEqual([[ALICE, 'INSERT 1']]);
    const { url } = await behindTls(database.url);
    for (const made of [postgres, wrapPostgres(postgres)]) {
      const sql = made(url, { ssl: 'verify-full', max: 1 });
      await expect(sql`SELECT 1`).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
      await sql.end({ timeout: 0 });
    }
  });

  it('to the second of two hosts, when the first is not there', async () => {
    const { connect, database, wal } = await bench();
    const { port, pathname, username, password } = new URL(database.url);
    const url = `postgres://${username}:${password}@127.0.0.1:1,127.0.0.1:${port}${pathname}`;
    const sql = connect({ max: 2 }, url);
    await Promise.all(
      [1, 2].map((id) => runWithBemiContext(ALICE, () => sql`INSERT INTO t SELECT ${id} FROM pg_sleep(0.1)`)),
    );
    expect((await wal.take()).length).toBe(2);
  });

  it('that fails, and is made again', async () => {
    const { database, wal } = await bench();
    const admin = await database.connect();
    const KILL = `
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE wait_event = 'PgSleep' AND datname = current_database()`;

    async function failures(made: typeof postgres, id: number): Promise<unknown[]> {
      const refused = made('postgres://127.0.0.1:1/none', { max: 1, backoff: false });
      const sql = made(database.url, { max: 1, backoff: false });
      const codes: unknown[] = [];
      const fails = async (work: PromiseLike<unknown>) =>
        work.then(undefined, ({ code }: { code: unknown }) => void codes.push(code));
      for (let attempt = 0; attempt < 3; attempt++) await fails(refused`SELECT 1`);
      await sql`INSERT INTO t VALUES (${id})`;
      const slow = fails(sql`UPDATE t SET v = pg_sleep(30)::text`);
      await vi.waitUntil(async () => (await admin.query(KILL)).rowCount === 1, { timeout: 10_000 });
      await slow;
      // The first one after it fails by the error of the connection before, then one succeeds, and one is a repetition.
      for (let attempt = 0; attempt < 3; attempt++) await fails(sql`INSERT INTO t VALUES (${id + 1})`);
      await Promise.all([refused.end(), sql.end()]);
      return codes;
    }

    const expected = await failures(postgres, 1);
    expect(expected.slice(3).sort()).toEqual(['23505', '57P01', 'CONNECTION_CLOSED']);
    expect(await runWithBemiContext(ALICE, () => failures(wrapPostgres(postgres), 3))).toEqual(expected);
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2'], [ALICE, 'INSERT 3'], [ALICE, 'INSERT 4']]);
  });

  it('that replicates', async () => {
    const { sql, connect, database } = await bench();
    const admin = await database.connect();
    await admin.query('CREATE PUBLICATION alltables FOR ALL TABLES');
    const changes: unknown[] = [];
    const { unsubscribe } = await sql.subscribe('insert', (row) => void changes.push(row));
    await runWithBemiContext(ALICE, () => sql`INSERT INTO t VALUES (1, 'a', 1)`);
    await vi.waitUntil(() => changes.length > 0, { timeout: 10_000 });
    expect(changes).toEqual([{ id: 1, v: 'a', n: 1 }]);
    unsubscribe();
    const replicating = connect({ max: 1, fetch_types: false, connection: { replication: 'database' } });
    await runWithBemiContext(ALICE, () => replicating.unsafe('INSERT INTO t VALUES (2)'));
    expect(await replicating.unsafe('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  });
});

describe('where a message can’t be sent, the write goes on', () => {
  it('without the privilege', async () => {
    const { database, wal, connect } = await bench();
    const admin = await database.connect();
    const role = `${database.name}_app`;
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT ALL ON t TO ${role};
      REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) FROM public`);
    onTestFinished(async () => {
      const server = new pg.Client(database.url);
      await server.connect();
      await server.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await server.end();
    });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const sql = connect({ max: 1 }, database.urlAs(role, 'x'));
    await runWithBemiContext(ALICE, async () => {
      await sql`INSERT INTO t VALUES (${1})`;
      await sql.unsafe('INSERT INTO t VALUES (2)');
    });
    expect(warn).toHaveBeenCalledWith(
      expect.anything(),
      expect.objectContaining({ code: 'BEMI_CONTEXT_NOT_CARRIED' }),
    );
    warn.mockRestore();
    expect(await wal.take()).toEqual([['INSERT 1'], ['INSERT 2']]);
  });
});

it.skipIf(!hasPgBouncer)(`stays with its write through PgBouncer in transaction mode${whyNot}`, async () => {
  const { database, wal, connect } = await bench();
  const sql = connect({ max: 8, prepare: false }, await startPgBouncer(database));
  const ids = Array.from({ length: 120 }, (_, id) => id);
  const each = (some: readonly number[], work: (id: number) => Promise<unknown>) =>
    Promise.all(some.map((id) => runWithBemiContext({ request: id }, () => work(id))));
  // Apart from each other: with PgBouncer 1.18, plain postgres.js, too, waits for ever when it pipelines some of these.
  await each(ids.slice(80), (id) => sql.unsafe(`INSERT INTO t VALUES (${id})`));
  await each(ids.slice(30, 80), async (id) => {
    if (id % 2 === 0) {
      await expect(sql`INSERT INTO t VALUES (${id}, NULL, -1)`).rejects.toMatchObject({ code: '23514' });
    }
    return sql`INSERT INTO t VALUES (${id})`;
  });
  await each(ids.slice(0, 30), (id) =>
    sql.begin(async (transaction) => {
      const inner = transaction.savepoint(async (savepoint) => {
        await savepoint`INSERT INTO t VALUES (${-id})`;
        throw new Error('changed my mind');
      });
      await expect(inner).rejects.toThrow('changed my mind');
      await transaction`INSERT INTO t VALUES (${id})`;
    }),
  );
  expect(await sql`TABLE pg_prepared_statements`).toEqual([]);
  expect(new Set(await wal.take())).toEqual(new Set(ids.map((id) => [{ request: id }, `INSERT ${id}`])));
});

it('signs, for the database that the server says', async () => {
  const { database, wal } = await bench();
  const apiKey = `bemi_sk_${'a'.repeat(32)}`;
  const sql = wrapPostgres(postgres, { apiKey })(database.url, { max: 1 });
  onTestFinished(() => sql.end());
  await runWithBemiContext(ALICE, async () => {
    await sql`INSERT INTO t VALUES (1)`;
    await sql.unsafe('INSERT INTO t VALUES (2)');
  });
  const messages = await wal.takeMessages();
  expect(new Set(messages).size).toBe(2);
  for (const message of messages) {
    const { _bemi: member, ...context } = JSON.parse(message) as { _bemi: { time: string; nonce: string } };
    const signature = { database: database.name, nonce: member.nonce, time: new Date(member.time) };
    expect(message).toBe(signMessage(JSON.stringify(context), apiKey, signature));
  }
});

/** A socket to the server that takes and gives one byte at a time. */
async function byteByByte(url: string): Promise<net.Socket> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  await once(socket, 'connect');
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  socket.emit = (event: string, ...args: unknown[]) => {
    if (event !== 'data') return emit(event, ...args);
    const bytes = args[0] as Buffer;
    for (let at = 0; at < bytes.length; at++) emit('data', bytes.subarray(at, at + 1));
    return true;
  };
  return socket;
}

interface BehindTls {
  readonly url: string;
  /** Connections until now. */
  readonly encrypted: () => number;
  /** Its certificate. */
  readonly authority: string;
}

/** A server that speaks TLS, as PostgreSQL does, in front of one that doesn't. */
async function behindTls(url: string): Promise<BehindTls> {
  const { hostname, port } = new URL(url);
  const authority = await makeAuthority();
  const { certificate: cert, key } = await issueCertificate(authority, 'server', ['localhost', hostname]);
  let encrypted = 0;
  const server = net.createServer((client) => {
    client.on('error', () => undefined);
    client.once('data', () => {
      client.write('S');
      const secure = new tls.TLSSocket(client, { isServer: true, key, cert });
      secure.once('secure', () => encrypted++);
      const upstream = net.connect(Number(port), hostname);
      secure.on('error', () => upstream.destroy());
      upstream.on('error', () => secure.destroy());
      secure.pipe(upstream).pipe(secure);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const behind = new URL(url);
  behind.host = `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  return { url: behind.href, encrypted: () => encrypted, authority: authority.certificate };
}
