import { parseConnectionString } from '@bemi-db/source/connection-string';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { readAccesses } from '@bemi-db/trail/access/read-accesses';
import { createWorker } from '@bemi-db/worker';
import { expect, onTestFinished, test } from 'vitest';
import { admin, serveDashboard } from '../../test/served-dashboard.ts';
import type { Activity } from '../api/activity.ts';
import { createAuditReader } from './audit-reader.ts';
import { createDashboard } from './create-dashboard.ts';

test('what happened, counted: as many as the entries that a number leads to, and of one’s tables alone', async () => {
  const { sql, log, recorded, get, become, trail } = await serveDashboard((client) =>
    client.query('CREATE TABLE patient (id int PRIMARY KEY); CREATE TABLE visit (id int PRIMARY KEY)'),
  );
  const context = (text: string) => `SELECT pg_logical_emit_message(true, '_bemi', '${text}')`;
  await sql.query(`${context('{"userId":"anna"}')}; INSERT INTO patient SELECT generate_series(1, 40)`);
  await sql.query(
    `${context('{"userId":"ben"}')}; INSERT INTO visit VALUES (1), (2); DELETE FROM visit WHERE id = 1`,
  );
  await sql.query('INSERT INTO patient VALUES (99); TRUNCATE visit');
  await recorded();
  const ask = async (query: string): Promise<Activity> => {
    const answer = await get(`/api/v1/logs/${log}/activity${query}`);
    expect(answer.status, query).toBe(200);
    return (await answer.json()) as Activity;
  };
  const all = await ask('?step=hour&zone=Europe/Berlin');
  const totals = ({ tables }: Activity) =>
    tables.map(({ table, changes, withoutContext, operations }) => [
      table,
      changes,
      withoutContext,
      operations,
    ]);
  expect(totals(all)).toEqual([
    ['patient', 41, 1, { INSERT: 41, UPDATE: 0, DELETE: 0, TRUNCATE: 0 }],
    ['visit', 4, 1, { INSERT: 2, UPDATE: 0, DELETE: 1, TRUNCATE: 1 }],
  ]);
  expect(all.actors).toEqual([
    { name: 'anna', changes: 40, withoutContext: 0 },
    { name: 'ben', changes: 3, withoutContext: 0 },
  ]);
  expect(all).toMatchObject({ directUsers: [], unusual: [], countedTo: null, uncountedEntries: 0 });
  // Each number is that of the search that it leads to.
  const found = async (filter: string): Promise<number> =>
    ((await (await get(`/api/v1/logs/${log}/entries?limit=500&${filter}`)).json()) as { entries: [] }).entries
      .length;
  const period = `since=${all.since}&until=${all.until}`;
  expect(await found(`${period}&table=public.patient&operation=INSERT`)).toBe(41);
  expect(await found(`${period}&actor=anna`)).toBe(40);
  expect(await found(`${period}&withoutContext=true&operation=INSERT&operation=TRUNCATE`)).toBe(2);

  expect(totals(await ask('?table=visit'))).toEqual(totals(all).slice(1));
  expect((await ask('?since=2020-01-01T00:00:00Z&until=2020-02-01T00:00:00Z')).steps).toHaveLength(31);
  become({ ...admin, role: 'viewer', tables: ['public.visit'] });
  const scoped = await ask('');
  expect(totals(scoped)).toEqual(totals(all).slice(1));
  expect(scoped.actors.map(({ name }) => name)).toEqual(['ben']);
  expect((await ask('?table=patient')).tables).toEqual([]);
  const [seen] = await readAccesses(trail, { limit: 1 });
  expect(seen).toMatchObject({ what: 'view', log, tables: [{ table: 'patient' }], changes: 0 });

  const refused = async (query: string) => {
    const answer = await get(`/api/v1/logs/${log}/activity?${query}`);
    return [answer.status, ((await answer.json()) as { error: { code: string } }).error.code];
  };
  expect(await refused('zone=Mars/Phobos')).toEqual([400, 'time-zone']);
  expect(await refused('step=hour&since=2000-01-01T00:00:00Z')).toEqual([400, 'too-many-steps']);
  expect(await refused('step=minute')).toEqual([400, 'bad-request']);
  become({ ...admin, role: 'operator' });
  expect(await refused('')).toEqual([403, 'not-permitted']);
});

test('the worker counts what an older version has only indexed', async () => {
  const { sql, recorded, trail } = await serveDashboard((client) =>
    client.query('CREATE TABLE patient (id int PRIMARY KEY)'),
  );
  const counted = async (): Promise<number> =>
    (await trail.query<{ n: number }>('SELECT coalesce(sum(inserts), 0)::int AS n FROM bemi.activity'))
      .rows[0]!.n;
  await sql.query('INSERT INTO patient SELECT generate_series(1, 3000)');
  await recorded();
  await expect.poll(counted, { timeout: 30_000 }).toBeGreaterThan(1_000);
  const before = await counted();
  await trail.query(
    'BEGIN; DELETE FROM bemi.activity; UPDATE bemi.change_blocks SET changes_counted = false; COMMIT',
  );
  await sql.query('INSERT INTO patient VALUES (4000)');
  await expect.poll(counted, { timeout: 30_000 }).toBe(before);
});

test('an audit database that an older version has made, or a newer one', async () => {
  const { source, audit, slot, trail } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE patient (id int PRIMARY KEY); INSERT INTO patient VALUES (1)'),
  );
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  const reader = createAuditReader(parseConnectionString(audit.url, 'the test').config);
  onTestFinished(() => reader.close());
  const errors: unknown[] = [];
  const dashboard = createDashboard({
    ...{ reader, authenticate: async () => admin, version: '0.0.0-test' },
    onError: (error) => errors.push(error),
  });
  const answer = async () => {
    const answered = await dashboard.request(`http://bemi.test/api/v1/logs/${source.name}/activity`);
    return { status: answered.status, ...((await answered.json()) as object) };
  };
  await trail.query('DROP TABLE bemi.activity CASCADE');
  // A fault of ours, which nobody that asks is told of.
  expect(await answer()).toMatchObject({ status: 503, error: { code: 'unavailable' } });
  expect(errors).toHaveLength(1);
  await trail.query('DELETE FROM bemi.migrations WHERE number >= 13');
  expect(await answer()).toMatchObject({
    status: 503,
    error: {
      code: 'older-schema',
      message: expect.stringContaining('it lacks 0013_activity.sql'),
      fix: expect.stringContaining('Start a worker of this version'),
    },
  });
  await trail.query(`INSERT INTO bemi.migrations (number, name) VALUES (9999, '9999_later.sql')`);
  expect(await answer()).toMatchObject({ status: 503, error: { code: 'newer-schema' } });
  expect(errors).toHaveLength(1);
});
