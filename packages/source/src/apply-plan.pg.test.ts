import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { asTestRole, makeTestRole } from '../test/test-role.ts';
import { ApplyError, type ApplyProgress, applyPlan } from './apply-plan.ts';
import { inspect } from './inspect.ts';
import { plan } from './plan.ts';
import type { PlanStep } from './plan-step.ts';

const identityOf = (table: string): PlanStep => ({
  id: `identity ${table}`,
  kind: 'identity',
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

test('a table that stays in use stops the plan; what was done before stays done', async () => {
  const database = await createDatabase();
  const [client, application] = [await database.connect(), await database.connect()];
  await client.query('CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)');
  await client.query("SET lock_timeout = '7s'; SET statement_timeout = '8s'");
  await application.query('BEGIN; SELECT FROM b');
  const wanted = { slot: `slot_${database.name}`, publication: 'p', tables: 'all' } as const;

  const failure = await applyPlan(client, plan(await inspect(client, wanted), wanted), {
    lockTimeoutMs: 20,
    retryDelaysMs: [1],
  }).catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(ApplyError);
  expect(failure).toMatchObject({ code: '55P03', step: { id: 'identity public.b' } });
  expect((failure as ApplyError).fix).toContain('pg_stat_activity');
  const { rows } = await client.query(
    "SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement",
  );
  expect(rows).toEqual([{ lock: '7s', statement: '8s' }]);

  await application.query('COMMIT');
  const rest = plan(await inspect(client, wanted), wanted);
  expect(rest.map((step) => step.id)).toEqual([
    ...['identity public.b', 'identity public.c'],
    ...['publication create', 'slot create'],
  ]);
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
