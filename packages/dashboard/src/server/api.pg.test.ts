import { readAccesses } from '@bemi-db/trail/access/read-accesses';
import { expect, test } from 'vitest';
import { addressOf, declaredRoutes } from '../../test/declared-routes.ts';
import { admin, serveDashboard } from '../../test/served-dashboard.ts';
import type { Problem } from '../api/problem.ts';

const tables = `CREATE TABLE patient (id int PRIMARY KEY, name text, owed numeric, photo text STORAGE EXTERNAL);
  ALTER TABLE patient REPLICA IDENTITY FULL; CREATE TABLE visit (id bigint PRIMARY KEY)`;

test('a record at any moment, its transaction, exports, and who looked', async () => {
  const { sql, log, recorded, get, trail, become, dashboard } = await serveDashboard((client) =>
    client.query(tables),
  );
  const context = (user: string) =>
    `SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"${user}","reason":"=cmd()"}')`;
  await sql.query(
    `${context('anna')}; INSERT INTO patient VALUES (1, 'Ada', 10.50, repeat('x', 9000)), (2, 'Bob', NULL, NULL)`,
  );
  await sql.query(`${context('ben')}; UPDATE patient SET owed = 12345678901234567890.1 WHERE id = 1`);
  await sql.query('DELETE FROM patient WHERE id = 2; INSERT INTO visit VALUES (1)');
  await sql.query('TRUNCATE patient');
  await recorded();
  expect(await (await get('/api/v1/accounts/people')).json()).toMatchObject({
    error: { code: 'no-accounts' },
  });
  const json = async (path: string) => {
    const answer = await get(`/api/v1/logs/${log}/${path}`);
    expect(answer.status, path).toBe(200);
    return (await answer.json()) as Record<string, unknown>;
  };
  const { entries } = (await json('entries?table=patient&primaryKey=1&order=oldest-first')) as {
    entries: { sequence: string; transaction: string; timestamp: string }[];
  };
  const [created, updated] = entries;
  const record = 'record?table=public.patient&values=text&primaryKey=';

  const then = await json(`${record}1&sequence=${created!.sequence}`);
  expect(then).toMatchObject({
    state: 'present',
    sequence: created!.sequence,
    previous: null,
    next: updated!.sequence,
  });
  expect(then['row']).toContain('"owed":10.50,');
  const later = await json(`${record}1&at=${updated!.timestamp}`);
  expect(later).toMatchObject({ state: 'present', missing: [], sequence: updated!.sequence });
  expect(later['row']).toContain('"owed":12345678901234567890.1,"photo":"xxx');
  expect(await json(`${record}1`)).toMatchObject({ state: 'deleted', previous: updated!.sequence });
  expect(await json(`${record}2`)).toMatchObject({
    state: 'deleted',
    row: '{"id":2,"name":"Bob","owed":null,"photo":null}',
  });
  expect(await json(`${record}3`)).toMatchObject({ state: 'unknown', row: null, sequence: null });

  expect(await json(`transactions/${created!.transaction}`)).toMatchObject({
    ...{ transaction: created!.transaction, changeCount: '2', contextCount: 1, actor: null },
    committedAt: created!.timestamp,
  });
  expect((await get(`/api/v1/logs/${log}/transactions/${Number(created!.transaction) + 1}`)).status).toBe(
    404,
  );

  const csv = Buffer.from(
    await (await get(`/api/v1/logs/${log}/export?format=csv&order=oldest-first`)).arrayBuffer(),
  ).toString();
  const lines = csv.split('\r\n');
  expect(lines).toHaveLength(1 + 6 + 1);
  expect(lines[0]).toMatch(/^\ufeffsequence,timestamp,operation,/);
  expect(lines[1]).toContain(`,INSERT,public,patient,1,anna,'=cmd(),`);
  const exported = await get(`/api/v1/logs/${log}/export?operation=DELETE`);
  expect(exported.headers.get('content-disposition')).toMatch(/^attachment; filename="bemi-[\w-]+\.jsonl"$/);
  expect(JSON.parse(await exported.text())).toMatchObject({ operation: 'DELETE', primaryKey: '2' });

  const accesses = await readAccesses(trail, { limit: 50 });
  const said = accesses.map(({ what, key, part, changes }) =>
    [what, key, part, changes].filter((each) => each !== undefined).join(' '),
  );
  expect(said.slice(0, 4)).toEqual(['export end 1', 'export begin', 'export end 6', 'export begin']);
  expect(said).toContain('view 3 0');
  // What shows something recorded does not where it can't be recorded who asked. The list of tables shows no data.
  const showing = (await declaredRoutes(dashboard)).filter(
    ({ method, path, permission }) =>
      method === 'GET' && /^(changes|accesses):/.test(permission ?? '') && !path.endsWith('/tables'),
  );
  expect(showing.length).toBeGreaterThanOrEqual(9);
  const named = {
    log,
    table: 'patient',
    primaryKey: '1',
    sequence: created!.sequence,
    transaction: created!.transaction,
  };
  await trail.query('ALTER FUNCTION bemi.request_access(jsonb) RENAME TO not_now');
  for (const route of showing) {
    const answer = await get(addressOf(route, named));
    expect([route.path, answer.status, ((await answer.json()) as Problem).error.code]).toEqual([
      ...[route.path, 503, 'access-not-recorded'],
    ]);
  }
  await trail.query('ALTER FUNCTION bemi.not_now(jsonb) RENAME TO request_access');
  become({ ...admin, role: 'viewer', tables: ['visit'] });
  expect((await get(`/api/v1/logs/${log}/export`)).status).toBe(403);
  expect((await get(`/api/v1/logs/${log}/${record}1`)).status).toBe(404);
  expect((await get(`/api/v1/logs/${log}/transactions/${created!.transaction}`)).status).toBe(404);
});

test('a stream skips nothing and repeats nothing across reconnects', async () => {
  const { sql, log, recorded, url, trail } = await serveDashboard((client) => client.query(tables));
  const total = 120;
  let lastId: string | undefined = '0';
  const seen: string[] = [];
  const write = (async () => {
    for (let i = 0; i < total; i++) await sql.query('INSERT INTO visit VALUES ($1)', [i]);
  })();
  // Each connection is cut after some events, wherever that is.
  for (let cut = 1; seen.length < total; cut = (cut * 7) % 41) {
    const stop = new AbortController();
    const answer = await fetch(`${url}/api/v1/logs/${log}/stream?table=visit&values=text`, {
      headers: lastId === undefined ? {} : { 'last-event-id': lastId },
      signal: stop.signal,
    });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    let left = cut;
    for await (const { event, id, data } of events(answer)) {
      lastId = id;
      if (event === 'entry') seen.push((JSON.parse(data) as { primaryKey: string }).primaryKey);
      if (event === 'entry' && (--left === 0 || seen.length === total)) break;
    }
    stop.abort();
  }
  await write;
  await recorded();
  expect(seen).toEqual(Array.from({ length: total }, (_, i) => String(i)));
  await expect
    .poll(
      async () =>
        (await readAccesses(trail, { limit: 500 })).filter(
          ({ what, part }) => what === 'live' && part === 'begin',
        ).length,
    )
    .toBeGreaterThan(5);
});

async function* events(answer: Response): AsyncGenerator<{ event: string; id: string; data: string }> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of answer.body!) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      if (field('event') !== '') yield { event: field('event'), id: field('id'), data: field('data') };
    }
  }
}
