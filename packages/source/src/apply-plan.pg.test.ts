import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import { expect, test } from 'vitest';
import { asTestRole, makeTestRole } from '../test/test-role.ts';
import { ApplyError } from './apply-error.ts';
import { type ApplyProgress, applyPlan } from './apply-plan.ts';
import { inspect } from './inspect.ts';
import { plan } from './plan.ts';
import type { PlanStep } from './plan-step.ts';
import type { Wanted } from './source-snapshot.ts';

const identityOf = (table: string): PlanStep => ({
  id: `identity ${table}`,
  kind: 'identity',
  tables: [{ schema: 'public', name: table }],
  title: `Keep the whole old row of ${table}`,
  sql: `ALTER TABLE ${table} REPLICA IDENTITY FULL;`,
  why: '',
});

test('a table that is in use is tried again until it is free', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  await client.query('CREATE TABLE busy (id int)');
  await application.query('BEGIN; INSERT INTO busy VALUES (1)');

  const seen: ApplyProgress[] = [];
  let release: Promise<unknown> | undefined;
  await applyPlan(client, [identityOf('busy')], {
    lockTimeoutMs: 20,
    retryDelaysMs: [1, ...Array<number>(100).fill(100)],
    onProgress: (progress) => {
      seen.push(progress);
      if (progress.state === 'busy' && progress.attempt === 2) release = application.query('COMMIT');
    },
  });
  await release;

  expect(seen.slice(0, 4).map(({ state, attempt, waitMs }) => ({ state, attempt, waitMs }))).toEqual([
    { state: 'started', attempt: 1, waitMs: undefined },
    { state: 'busy', attempt: 1, waitMs: 1 },
    { state: 'started', attempt: 2, waitMs: undefined },
    { state: 'busy', attempt: 2, waitMs: 100 },
  ]);
  expect(seen.at(-1)?.state).toBe('done');
});

test('a table that stays in use is left, and so is what would break it; the rest goes on', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  await client.query(`CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int);
                      CREATE TABLE keyed (id int PRIMARY KEY)`);
  await application.query("SET application_name = 'nightly import'");
  await client.query("SET lock_timeout = '7s'; SET statement_timeout = '8s'");
  await application.query('BEGIN; SELECT FROM b; SELECT FROM keyed');
  const wanted = { slot: `slot_${database.name}`, publication: 'p', tables: 'all' } as const;

  const failure = await applyPlan(client, plan(await inspect(client, wanted), wanted), {
    lockTimeoutMs: 20,
    retryDelaysMs: [1],
  }).catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(ApplyError);
  expect(failure).toMatchObject({ code: '55P03', step: { id: 'identity public.b' } });
  expect((failure as ApplyError).undone).toMatchObject([
    {
      step: { id: 'identity public.b' },
      holders: [expect.stringMatching(/^pid \d+ \(nightly import, for \d+ s\)$/)],
    },
    { step: { id: 'identity public.keyed' } },
    // Published, b could not be updated any more.
    { step: { id: 'publication create' }, reason: expect.stringContaining('whole old row of public.b') },
    { step: { id: 'slot create' } },
  ]);
  expect((failure as ApplyError).fix).toContain('pg_terminate_backend');
  const { rows } = await client.query(
    "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement",
  );
  expect(rows).toEqual([{ lock: '7s', statement: '8s' }]);

  await application.query('COMMIT');
  const rest = plan(await inspect(client, wanted), wanted);
  expect(rest.map((step) => step.id)).toEqual([
    ...['identity public.b', 'identity public.keyed'],
    ...['publication create', 'slot create'],
  ]);
});

test('a table with a primary key that stays in use keeps its identity, and all else is done', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  await client.query('CREATE TABLE a (id int); CREATE TABLE keyed (id int PRIMARY KEY)');
  await application.query('BEGIN; SELECT FROM keyed');
  const wanted = { slot: `slot_${database.name}`, publication: 'p', tables: 'all' } as const;

  const failure = await applyPlan(client, plan(await inspect(client, wanted), wanted), {
    lockTimeoutMs: 20,
    retryDelaysMs: [1],
  }).catch((error: unknown) => error);

  expect((failure as ApplyError).undone.map(({ step }) => step.id)).toEqual(['identity public.keyed']);
  const rest = plan(await inspect(client, wanted), wanted);
  expect(rest.map((step) => step.id)).toEqual(['identity public.keyed']);
  await application.query('COMMIT');
});

test('no application waits longer than the lock timeout, whatever holds the table', async () => {
  const database = await createDatabase();
  const [client, holder, application] = [
    await database.connect(),
    await database.connect(),
    await database.connect(),
  ];
  await client.query('CREATE TABLE busy (id int); CREATE TABLE other (id int)');
  await holder.query('BEGIN; SELECT FROM busy');
  // Behind an ALTER TABLE that waits, its SELECT waits too: until that gives up, and no longer.
  await application.query("SET statement_timeout = '5s'");
  const abort = new AbortController();
  const applied = applyPlan(client, [identityOf('busy'), identityOf('other')], {
    lockTimeoutMs: 500,
    retryDelaysMs: Array<number>(1_000).fill(1),
    signal: abort.signal,
  }).catch((error: unknown) => error);
  for (let n = 0; n < 4; n++) {
    await expect
      .poll(async () => {
        const { rowCount } = await holder.query(
          "SELECT FROM pg_locks WHERE NOT granted AND relation = 'busy'::regclass",
        );
        return rowCount;
      })
      .toBe(1);
    await application.query('SELECT FROM busy');
  }
  abort.abort();
  await applied;
  await holder.query('COMMIT');
});

test('many tables take a few exchanges with the server, and one that is in use does not keep the others', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  const count = effort(250, 10_000);
  for (let at = 0; at < count; at += 1_000) {
    await client.query(`DO $$ BEGIN FOR n IN ${at} .. ${Math.min(at + 1_000, count) - 1} LOOP
      EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, text text)', n); END LOOP; END $$`);
  }
  await application.query('BEGIN; SELECT FROM t120');
  const wanted = { slot: `slot_${database.name}`, publication: 'p', tables: 'all' } as const;
  const steps = plan(await inspect(client, wanted), wanted);
  expect(steps).toHaveLength(count + 2);
  let queries = 0;
  const query = client.query.bind(client);
  const counted = new Proxy(client, {
    get: (target, name) =>
      name === 'query'
        ? (...args: Parameters<typeof query>) => {
            queries++;
            return query(...args);
          }
        : Reflect.get(target, name, target),
  });
  const done: string[] = [];
  const start = performance.now();
  await applyPlan(counted, steps, {
    lockTimeoutMs: 20,
    retryDelaysMs: Array<number>(100).fill(50),
    onProgress: ({ step, state }) => {
      if (state === 'done') done.push(step.id);
      if (done.length === count - 1) void application.query('COMMIT');
    },
  });
  if (count > 1_000)
    console.info(`${count} tables: ${Math.round(performance.now() - start)} ms, ${queries} exchanges`);
  expect(done).toHaveLength(count + 2);
  expect(done.indexOf('identity public.t120')).toBeGreaterThan(done.indexOf('identity public.t99'));
  // One for each hundred, and for each of the hundred with the table that is in use.
  expect(queries).toBeLessThan(count / 100 + 200);
  expect(plan(await inspect(client, wanted), wanted)).toEqual([]);
});

test('the slot waits for running transactions, longer than any lock timeout', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  await client.query('CREATE TABLE t (id int PRIMARY KEY)');
  await client.query("SET lock_timeout = '1ms'; SET statement_timeout = '1ms'");
  await application.query('BEGIN; INSERT INTO t VALUES (1)');
  const wanted = { slot: `slot_${database.name}`, publication: 'p', tables: 'all' } as const;
  const client2 = await database.connect();
  const steps = plan(await inspect(client2, wanted), wanted).filter((step) => step.kind === 'slot');

  const applied = applyPlan(client, steps);
  // The transaction ends once the slot is seen to wait for it.
  for (;;) {
    const { rowCount } = await client2.query(
      "SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())",
    );
    if (rowCount) break;
  }
  await application.query('COMMIT');
  await applied;
  expect((await inspect(client2, wanted)).slot).toBeDefined();
});

test('a role that may not is told so, and nothing secret is shown', async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  const role = await makeTestRole(database, admin, 'LOGIN');
  const wanted = {
    slot: `slot_${database.name}`,
    publication: 'p',
    tables: 'all',
    role: { name: 'no_such_role', password: 'hunter2' },
  } as const;
  const failure = await asTestRole(database, role, async (client) =>
    applyPlan(client, plan(await inspect(client, wanted), wanted)).catch((error: unknown) => error),
  );
  expect(failure).toMatchObject({ code: '42501', step: { id: 'role create' } });
  expect(failure).not.toHaveProperty('cause');
  expect((failure as ApplyError).fix).toContain('superuser');
  expect((failure as ApplyError).stack).not.toContain('hunter2');
});

test('an abort ends the waiting', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  await client.query('CREATE TABLE busy (id int)');
  await application.query('BEGIN; SELECT FROM busy');
  const abort = new AbortController();
  await expect(
    applyPlan(client, [identityOf('busy')], {
      lockTimeoutMs: 20,
      retryDelaysMs: [600_000],
      signal: abort.signal,
      onProgress: ({ state }) => {
        if (state === 'busy') abort.abort();
      },
    }),
  ).rejects.toMatchObject({ name: 'AbortError' });
  await application.query('COMMIT');
});

test('a publication waits for a table that is being changed, and says by whom', async () => {
  const database = await createDatabase();
  const [client, vacuum, reader] = [
    await database.connect(),
    await database.connect(),
    await database.connect(),
  ];
  await client.query('CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)');
  await vacuum.query(
    `SET application_name = 'maintenance'; BEGIN; LOCK TABLE b IN SHARE UPDATE EXCLUSIVE MODE`,
  );
  await reader.query('BEGIN; SELECT FROM a; SELECT FROM b');
  const wanted: Wanted = {
    ...{ slot: `slot_${database.name}`, publication: 'p' },
    identity: 'default',
    tables: ['a', 'b'].map((name) => ({ schema: 'public', name })),
  };
  const seen: ApplyProgress[] = [];
  let released: Promise<unknown> | undefined;
  await applyPlan(client, plan(await inspect(client, wanted), wanted), {
    lockTimeoutMs: 20,
    retryDelaysMs: Array<number>(100).fill(50),
    onProgress: (progress) => {
      seen.push(progress);
      if (progress.state === 'busy') released ??= vacuum.query('COMMIT');
    },
  });
  await Promise.all([released, reader.query('COMMIT')]);
  expect(seen.find(({ state }) => state === 'busy')).toMatchObject({
    step: { id: 'publication create' },
    holders: [expect.stringMatching(/^pid \d+ \(maintenance, for \d+ s\) on public\.b$/)],
  });
});
