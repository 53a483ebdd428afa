import { runWithBemiContext } from '@bemi-db/context';
import { wrapClient } from '@bemi-db/context/pg';
import { triggersDown, triggersUp } from '@bemi-db/source/context-triggers';
import { inspectContext } from '@bemi-db/source/inspect-context';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import type pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTriggeredClinic } from '../test/triggered-clinic.ts';

/** Hands a context over for the rest of the transaction, or of the session. */
const give = (client: pg.Client, context: object | null, isLocal = true) =>
  client.query(`SELECT set_config('bemi.context', $1, $2)`, [context && JSON.stringify(context), isLocal]);

const transact = async (client: pg.Client, work: () => Promise<unknown>, end = 'COMMIT'): Promise<void> => {
  await client.query('BEGIN');
  await work();
  await client.query(end);
};

describe.runIf(streamsContext())('a context that a statement trigger sends', () => {
  test('is that of the transaction, once, for every kind of write', async () => {
    const { sql, record, trail } = await createTriggeredClinic({});
    await transact(sql, async () => {
      await give(sql, { userId: 'u1' });
      await sql.query(`INSERT INTO note SELECT n, 'v' FROM generate_series(1, 3) n`);
      await sql.query(`INSERT INTO note VALUES (1, 'w') ON CONFLICT (id) DO UPDATE SET v = excluded.v`);
      await sql.query(`DELETE FROM note WHERE id = 2`);
      await sql.query(
        `WITH moved AS (DELETE FROM note WHERE id = 3 RETURNING *) INSERT INTO visit SELECT * FROM moved`,
      );
      await sql.query(`INSERT INTO visit_high VALUES (11, 'to the partition itself')`);
      await sql.query('TRUNCATE "Odd ""name"""."Ta\'ble", visit');
    });
    const u1 = { userId: 'u1' };
    expect(await record()).toEqual(
      ['INSERT 1', 'INSERT 2', 'INSERT 3', 'UPDATE 1', 'DELETE 2', 'DELETE 3', 'INSERT 3', 'INSERT 11']
        .map((what) => [what, u1])
        .concat([
          ["TRUNCATE Ta'ble", u1],
          ['TRUNCATE visit_low', u1],
          ['TRUNCATE visit_high', u1],
        ]),
    );
    const { rows } = await trail.query('SELECT count(*)::int AS count FROM bemi.context_log');
    expect(rows).toEqual([{ count: 1 }]);

    await sql.query(`INSERT INTO note VALUES (4)`);
    expect(await record()).toEqual([['INSERT 4', null]]);
  });

  test('changes within a transaction, ends, and comes again after ROLLBACK TO', async () => {
    const { sql, record } = await createTriggeredClinic({});
    const insert = (id: number) => sql.query('INSERT INTO note VALUES ($1)', [id]);
    await transact(sql, async () => {
      await give(sql, { step: 1 });
      await insert(1);
      await give(sql, { step: 2 });
      await insert(2);
      await give(sql, null);
      await insert(3);
      await give(sql, { step: 1 });
      await insert(4);
    });
    expect(await record()).toEqual([
      ['INSERT 1', { step: 1 }],
      ['INSERT 2', { step: 2 }],
      ['INSERT 3', {}],
      ['INSERT 4', { step: 1 }],
    ]);

    await transact(sql, async () => {
      await sql.query('SAVEPOINT a');
      await give(sql, { step: 5 });
      await insert(5);
      await sql.query('ROLLBACK TO a');
      await insert(6); // the setting is rolled back as well
      await give(sql, { step: 7 });
      await sql.query('SAVEPOINT b');
      await insert(70);
      await sql.query('ROLLBACK TO b');
      await insert(7); // its message was sent after the savepoint, and is gone
      await sql.query('SAVEPOINT c');
      await give(sql, { step: 8 });
      await insert(8);
      await sql.query('RELEASE c');
      await insert(9);
      await sql.query('SAVEPOINT d');
      await sql.query('ROLLBACK TO d');
      await insert(10);
    });
    expect(await record()).toEqual([
      // Changes before a transaction's first context take that one.
      ['INSERT 6', { step: 7 }],
      ['INSERT 7', { step: 7 }],
      ['INSERT 8', { step: 8 }],
      ['INSERT 9', { step: 8 }],
      ['INSERT 10', { step: 8 }],
    ]);

    await transact(sql, () => give(sql, { step: 11 }).then(() => insert(11)), 'ROLLBACK');
    await insert(12);
    expect(await record()).toEqual([['INSERT 12', null]]);
  });

  test('is that of the session, the connection or the role, and costs one message a transaction', async () => {
    const { sql, source, connect, record, trail } = await createTriggeredClinic({});
    await give(sql, { session: 'own' }, false);
    for (const id of [1, 2]) await sql.query('INSERT INTO note VALUES ($1)', [id]);
    await transact(sql, async () => {
      for (const id of [3, 4]) await sql.query('INSERT INTO note VALUES ($1)', [id]);
    });
    await sql.query('RESET bemi.context');
    await sql.query('INSERT INTO note VALUES (5)');
    const byOptions = await connect({ options: `-c bemi.context={"job":"nightly\\ import"}` });
    await byOptions.query('INSERT INTO note VALUES (6)');
    await sql.query(
      `ALTER ROLE CURRENT_USER IN DATABASE ${source.name} SET bemi.context = '{"role":"reporting"}'`,
    );
    const byRole = await connect();
    await byRole.query('INSERT INTO note VALUES (7)');
    const own = { session: 'own' };
    expect(await record()).toEqual([
      ['INSERT 1', own],
      ['INSERT 2', own],
      ['INSERT 3', own],
      ['INSERT 4', own],
      ['INSERT 5', null],
      ['INSERT 6', { job: 'nightly import' }],
      ['INSERT 7', { role: 'reporting' }],
    ]);
    const { rows } = await trail.query('SELECT count(*)::int AS count FROM bemi.context_log');
    expect(rows).toEqual([{ count: 5 }]);
  });

  test('is one message in a transaction, and the database user another one', async () => {
    const { sql, source } = await createTriggeredClinic({ kinds: ['context', 'actor'] });
    const slot = `${source.name}_messages`;
    await sql.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot]);
    const messages = async (): Promise<string[]> => {
      const { rows } = await sql.query<{ data: string }>(
        'SELECT data FROM pg_logical_slot_get_changes($1, NULL, NULL)',
        [slot],
      );
      return rows.flatMap(({ data }) => /^message: transactional: 1 prefix: (\w+),/.exec(data)?.[1] ?? []);
    };
    await give(sql, { userId: 'u1' }, false);
    await transact(sql, async () => {
      await sql.query(`INSERT INTO note SELECT n FROM generate_series(1, 100) n`);
      for (let id = 1; id <= 10; id++) await sql.query(`UPDATE note SET v = 'w' WHERE id = $1`, [id]);
      await sql.query('SAVEPOINT a');
      await sql.query('TRUNCATE note');
      await sql.query('ROLLBACK TO a');
      await sql.query('DELETE FROM note');
    });
    expect(await messages()).toEqual(['_bemi_actor', '_bemi']);
    await transact(sql, async () => {
      await sql.query('SAVEPOINT a');
      await sql.query(`INSERT INTO note VALUES (1)`);
      await sql.query('ROLLBACK TO a');
      await sql.query(`INSERT INTO note VALUES (2)`);
      await give(sql, null);
      await sql.query(`INSERT INTO note VALUES (3)`);
      await sql.query(`INSERT INTO note VALUES (4)`);
    });
    expect(await messages()).toEqual(['_bemi_actor', '_bemi', '_bemi']);
    await give(sql, null, false);
    await sql.query(`INSERT INTO note VALUES (5)`);
    await sql.query(`SELECT * FROM note FOR UPDATE`);
    expect(await messages()).toEqual(['_bemi_actor']);
  });

  test('stands beside the wrapped driver and messages by hand: the later one counts', async () => {
    const { sql, connect, record } = await createTriggeredClinic({});
    const wrapped = wrapClient(await connect());
    await runWithBemiContext({ by: 'driver' }, () => wrapped.query('INSERT INTO note VALUES (1)'));
    await runWithBemiContext({ by: 'driver' }, () =>
      transact(wrapped, async () => {
        await wrapped.query('INSERT INTO note VALUES (2)');
        await give(wrapped, { by: 'setting' });
        await wrapped.query('INSERT INTO note VALUES (3)');
        await wrapped.query('INSERT INTO note VALUES (4)');
      }),
    );
    await sql.query(
      `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"by":"hand"}'); INSERT INTO note VALUES (5); COMMIT`,
    );
    expect(await record()).toEqual([
      ['INSERT 1', { by: 'driver' }],
      ['INSERT 2', { by: 'driver' }],
      ['INSERT 3', { by: 'setting' }],
      ['INSERT 4', { by: 'setting' }],
      ['INSERT 5', { by: 'hand' }],
    ]);
  });

  test('changes no statement, whatever it holds; what is no JSON goes into quarantine', async () => {
    const { sql, record } = await createTriggeredClinic({});
    const hostile = [
      { url: '*/ OR true --' },
      { quote: `'; DROP TABLE note; --`, dollar: '$bemi$', backslash: '\\' },
      { emoji: '🩺', nested: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) },
    ];
    for (const [id, context] of hostile.entries()) {
      await transact(sql, async () => {
        await give(sql, context);
        await sql.query('INSERT INTO note VALUES ($1)', [id]);
      });
    }
    await sql.query(`BEGIN; SET LOCAL bemi.context = 'no JSON'; INSERT INTO note VALUES (9); COMMIT`);
    expect(await record()).toEqual([
      ...hostile.map((context, id) => [`INSERT ${id}`, context]),
      ['INSERT 9', null],
    ]);
  });

  test('needs no right of the role that writes, and fails no write where its owner may not send either', async () => {
    const { sql, source, connect, record } = await createTriggeredClinic({});
    const role = `${source.name}_writer`;
    await sql.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT INSERT ON note TO ${role}`);
    onTestFinished(async () => {
      await sql.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    });
    const { emitFunction } = await inspectContext(sql);
    await sql.query(`REVOKE EXECUTE ON FUNCTION ${emitFunction} FROM PUBLIC`);
    const writer = await connect({ connectionString: source.urlAs(role, 'secret') });
    await give(writer, { userId: 'w' }, false);
    await expect(writer.query(`SELECT pg_logical_emit_message(true, '_bemi', '{}')`)).rejects.toThrow(
      'denied',
    );
    await expect(writer.query('SELECT bemi_context.attach()')).rejects.toThrow('denied');
    await writer.query('INSERT INTO note VALUES (1)');
    // What it finds first by its own search path is not what the trigger calls.
    await sql.query(`CREATE SCHEMA own AUTHORIZATION ${role}`);
    await writer.query(
      `CREATE FUNCTION own.txid_current() RETURNS bigint LANGUAGE sql AS 'SELECT 1/0::bigint'`,
    );
    await writer.query(`SET search_path = own, pg_catalog`);
    await expect(writer.query('SELECT txid_current()')).rejects.toThrow('division by zero');
    await writer.query('INSERT INTO public.note VALUES (2)');
    await sql.query(`GRANT CREATE ON SCHEMA bemi_context TO ${role}`);
    await sql.query(`ALTER FUNCTION bemi_context.emit_context() OWNER TO ${role}`);
    await writer.query('INSERT INTO public.note VALUES (3)');
    const by = { userId: 'w' };
    expect(await record()).toEqual([
      ['INSERT 1', by],
      ['INSERT 2', by],
      ['INSERT 3', null],
    ]);
  });
});

test('who may not make triggers on a table is told which; who waits too long for one, gives up', async () => {
  const { sql, source, connect } = await createTriggeredClinic(undefined);
  const role = `${source.name}_owner`;
  await sql.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE ${source.name} TO ${role}`,
  );
  onTestFinished(async () => {
    await sql.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
  });
  await sql.query(`ALTER TABLE note OWNER TO ${role}`);
  const owner = await connect({ connectionString: source.urlAs(role, 'secret') });
  const notices: string[] = [];
  owner.on('notice', ({ message }) => notices.push(message ?? ''));
  const up = triggersUp({ kinds: ['context'], tables: 'all' });
  await sql.query(`BEGIN; LOCK TABLE note IN ROW EXCLUSIVE MODE`);
  await expect(owner.query(`BEGIN; ${up} COMMIT`)).rejects.toMatchObject({ code: '55P03' });
  await owner.query('ROLLBACK');
  await sql.query('COMMIT');
  await owner.query(up);
  expect(notices.filter((notice) => notice.includes('triggers'))).toEqual([
    expect.stringMatching(/^This role may not make triggers on .*Ta'ble.*, public\.visit\b/),
  ]);
  const named = triggersUp({ kinds: ['context'], tables: [{ schema: 'Odd "name"', name: "Ta'ble" }] });
  await expect(owner.query(named)).rejects.toThrow('permission denied');
  // Whoever owns the functions may change them: they are not run as somebody else.
  await expect(sql.query(named)).rejects.toThrow(`the schema bemi_context belongs to ${role}`);
  await sql.query('ALTER SCHEMA bemi_context OWNER TO CURRENT_USER');
  await sql.query(named);
});

test.runIf(!streamsContext())(
  'before PostgreSQL 14 the migration says what it can’t do, and changes are recorded without',
  async () => {
    const notices: string[] = [];
    const { sql, record } = await createTriggeredClinic({ kinds: ['context', 'actor'] }, async (client) => {
      client.on('notice', ({ message }) => notices.push(message ?? ''));
    });
    expect(notices).toContainEqual(expect.stringMatching(/^PostgreSQL 1[23]\S* does not stream messages/));
    await sql.query(`SET bemi.context = '{"userId":"u1"}'; INSERT INTO note VALUES (1)`);
    expect((await inspectContext(sql)).emitFunction).toMatch(/^pg_logical_emit_message\(/);
    expect(await record()).toEqual([['INSERT 1', null]]);
  },
);

test('a migration that is run again does what is missing, and taken back leaves nothing', async () => {
  const { sql } = await createTriggeredClinic(undefined);
  const attached = async () =>
    (
      await sql.query<{ table: string }>(
        `SELECT format('%s %s', tgrelid::regclass, tgname) AS table FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`,
      )
    ).rows.map(({ table }) => table);
  const both = { kinds: ['context', 'actor'], tables: 'all' } as const;
  const onlyVisits = { kinds: ['context'], tables: [{ schema: 'public', name: 'visit' }] } as const;

  await sql.query(triggersUp(onlyVisits));
  expect(await attached()).toEqual([
    'visit bemi_context',
    'visit_high bemi_context',
    'visit_low bemi_context',
  ]);
  await sql.query(`CREATE UNLOGGED TABLE scratch (); CREATE TEMPORARY TABLE mine ()`);
  await sql.query(`BEGIN; ${triggersUp(both)} COMMIT`);
  await sql.query(triggersUp(both));
  const tables = [`"Odd ""name"""."Ta'ble"`, 'note', 'visit', 'visit_high', 'visit_low'];
  const all = tables.flatMap((table) => [`${table} bemi_actor`, `${table} bemi_context`]);
  expect(await attached()).toEqual(all);
  await sql.query(`CREATE TABLE later (id int); SELECT bemi_context.attach('later')`);
  expect(await attached()).toContain('later bemi_context');

  await sql.query(triggersDown({ kinds: ['actor'] }));
  expect(await attached()).toEqual(['later', ...tables].sort().map((table) => `${table} bemi_context`));
  await sql.query(`BEGIN; ${triggersDown(both)} COMMIT`);
  await sql.query(triggersDown(both));
  expect(await attached()).toEqual([]);
  expect((await sql.query(`SELECT to_regnamespace('bemi_context') AS schema`)).rows).toEqual([
    { schema: null },
  ]);
});
