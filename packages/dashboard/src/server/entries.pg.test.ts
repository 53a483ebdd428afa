import { expect, test } from 'vitest';
import { admin, serveDashboard } from '../../test/served-dashboard.ts';

test('a log’s entries, newest first, exact to the last digit', async () => {
  const { sql, log, recorded, get, become } = await serveDashboard((client) =>
    client.query(
      'CREATE TABLE patient (id int PRIMARY KEY, owed numeric); ALTER TABLE patient REPLICA IDENTITY FULL; CREATE TABLE visit (id bigint)',
    ),
  );
  await sql.query(`INSERT INTO patient VALUES (1, 12345678901234567890.10)`);
  await sql.query(
    `SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"anna","n":9007199254740993}'); UPDATE patient SET owed = owed + 1`,
  );
  await sql.query('INSERT INTO visit VALUES (9007199254740993)');
  await recorded();

  const answer = await get(`/api/v1/logs/${log}/entries?values=text`);
  expect(answer.status).toBe(200);
  const page = (await answer.json()) as { entries: object[] };
  expect(page).toMatchObject({ end: 'reached', next: null });
  expect(page.entries).toMatchObject([
    { operation: 'INSERT', table: 'visit', primaryKey: null, after: '{"id":9007199254740993}' },
    {
      ...{ operation: 'UPDATE', table: 'patient', primaryKey: '1', changed: ['owed'] },
      before: '{"id":1,"owed":12345678901234567890.10}',
      after: '{"id":1,"owed":12345678901234567891.10}',
      context: '{"userId":"anna","n":9007199254740993}',
    },
    { operation: 'INSERT', table: 'patient', context: null },
  ]);
  const exact = await (await get(`/api/v1/logs/${log}/entries?table=patient&limit=1`)).text();
  expect(exact).toContain('"after":{"id":1,"owed":12345678901234567891.10}');
  const { sequence } = page.entries[1] as { sequence: string };
  expect(await (await get(`/api/v1/logs/${log}/entries/${sequence}`)).text()).toContain(
    '"n":9007199254740993',
  );

  expect((await get('/api/v1/logs/nowhere/entries')).status).toBe(404);
  expect((await get(`/api/v1/logs/${log}/entries?limit=0`)).status).toBe(400);
  become({ ...admin, role: 'viewer', tables: ['public.visit'] });
  const scoped = (await (await get(`/api/v1/logs/${log}/entries`)).json()) as { entries: object[] };
  expect(scoped.entries).toMatchObject([{ table: 'visit' }]);
  expect((await get(`/api/v1/logs/${log}/entries/${sequence}`)).status).toBe(404);
  become({ ...admin, role: 'operator' });
  expect((await get(`/api/v1/logs/${log}/entries`)).status).toBe(403);
  become(undefined);
  expect((await get(`/api/v1/logs/${log}/entries`)).status).toBe(401);
});
