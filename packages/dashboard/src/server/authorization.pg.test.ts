import { createServer, request as httpRequest, type RequestOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { effort } from '@bemi-db/test-kit/effort';
import { expect, onTestFinished, test } from 'vitest';
import { type AccountsOfTest, accountsOfTest } from '../../test/accounts-of-test.ts';
import { type Asker, everyAsker, firstAdmin } from '../../test/askers.ts';
import { addressOf, answeredRoutes, type DeclaredRoute, declaredRoutes } from '../../test/declared-routes.ts';
import { coverageLost, reportDay } from '../../test/reported-health.ts';
import { serveDashboard } from '../../test/served-dashboard.ts';
import { isPermitted } from '../api/permission.ts';
import { requestListener } from './request-listener.ts';

/** What an answer says to somebody who may, whatever the request lacks otherwise. */
const permittedStatuses = [200, 204, 400, 404, 409, 415, 422];

interface Recorded extends AccountsOfTest {
  readonly routes: readonly DeclaredRoute[];
  readonly askers: readonly Asker[];
  /** Parameters of routes with which they find something: a change of the table that scopes leave out. */
  readonly hidden: Readonly<Record<string, string>>;
}

/** A log with a table that everybody with a scope may see, and one that they may not. */
async function recordedClinic(askersOf: typeof everyAsker): Promise<Recorded> {
  const served = await serveDashboard((client) =>
    client.query(
      `CREATE TABLE visit (id int PRIMARY KEY, room text);
       CREATE SCHEMA staff; CREATE TABLE staff.hushhush_salary (id int PRIMARY KEY, amount text);
       ALTER TABLE staff.hushhush_salary REPLICA IDENTITY FULL`,
    ),
  );
  await served.sql.query(`INSERT INTO visit VALUES (1, 'blue room')`);
  await served.sql.query(
    `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"hushhush-context"}');
     INSERT INTO staff.hushhush_salary VALUES (4711, 'hushhush-amount'); COMMIT`,
  );
  await served.recorded();
  await reportDay(served.trail, served.log, [coverageLost]);
  await served.trail.query(
    `UPDATE bemi.workers SET problem = '{"code":"publication","message":"staff.hushhush_salary","fix":"hushhush"}'`,
  );
  const { rows } = await served.trail.query<{ sequence: string; transaction: string }>(
    `SELECT sequence::text, transaction::text FROM bemi.change_log WHERE primary_key = '4711'`,
  );
  const of = await accountsOfTest({ audit: served.audit });
  return {
    ...of,
    routes: await declaredRoutes(of.dashboard),
    askers: await askersOf(of, ['public.*']),
    hidden: {
      ...{ log: served.log, table: 'staff.hushhush_salary', primaryKey: '4711', values: 'text' },
      ...{ id: 'unknown', ...rows[0]! },
    },
  };
}

async function ask(
  { dashboard, hidden }: Recorded,
  route: DeclaredRoute,
  asker: Asker,
  values: Readonly<Record<string, string>> = hidden,
): Promise<{ readonly status: number; readonly code: string | undefined; readonly text: string }> {
  const stop = new AbortController();
  const answer = await dashboard.request(`http://bemi.test${addressOf(route, values)}`, {
    method: route.method,
    headers: { ...asker.headers, ...(route.method === 'GET' ? {} : { 'content-type': 'application/json' }) },
    signal: stop.signal,
    ...(route.hasBody ? { body: '{}' } : {}),
  });
  const text = await firstText(answer);
  stop.abort();
  const code = answer.ok ? undefined : /"code":"([\w-]+)"/.exec(text)?.[1];
  return { status: answer.status, code, text };
}

/** All of an answer, or what a stream without end says at first. */
async function firstText(answer: Response): Promise<string> {
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream')) return await answer.text();
  const reader = answer.body!.getReader();
  let text = '';
  while (!text.includes('event: position')) {
    const next = await reader.read();
    if (next.done) break;
    text += new TextDecoder().decode(next.value);
  }
  await reader.cancel();
  return text;
}

test('every route is declared with its permission, and none is open but those of sign-in', async () => {
  const { dashboard } = await accountsOfTest();
  const routes = await declaredRoutes(dashboard);
  const names = routes.map(({ method, path }) => `${method} ${path}`);
  expect(routes.filter(({ permission }) => permission === undefined)).toEqual([]);
  const middleware = [
    'ALL /*',
    'ALL /api/*',
    'GET /api/v1/openapi.json',
    'GET /assets/{file}',
    'GET /verify',
    'GET /*',
    'GET *',
  ];
  const undeclared = answeredRoutes(dashboard)
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !names.includes(name) && !middleware.includes(name));
  expect(undeclared).toEqual([]);

  const withPermission = (wanted: string) =>
    names.filter((_, index) => routes[index]!.permission === wanted).sort();
  expect(withPermission('public')).toEqual([
    'GET /api/v1/auth/callback/oidc',
    'GET /api/v1/auth/options',
    'POST /api/v1/auth/link',
    'POST /api/v1/auth/link/accept',
    'POST /api/v1/auth/second-factor',
    'POST /api/v1/auth/sign-in',
    'POST /api/v1/auth/single-sign-on',
  ]);
  for (const { method, path, permission } of routes) {
    const name = `${method} ${path}`;
    if (path.startsWith('/api/v1/accounts')) expect(permission, name).toBe('accounts:write');
    if (path.includes('/accesses')) expect(permission, name).toBe('accesses:read');
    if (path.endsWith('/export')) expect(permission, name).toBe('changes:export');
    if (path.includes('/sources') && method !== 'GET') expect(permission, name).toBe('sources:write');
    if (permission === 'self') expect(path, name).toMatch(/^\/api\/v1\/(auth\/|session$|logs$)/);
  }
});

test('each route answers whom it should, and nobody else; scopes hide what they leave out', async () => {
  const recorded = await recordedClinic(everyAsker);
  const { routes, askers } = recorded;
  // Signing out ends the session that asks.
  const inOrder = routes.toSorted(
    (a, b) => Number(a.path.endsWith('/sign-out')) - Number(b.path.endsWith('/sign-out')),
  );
  const shown = new Map<string, number>();
  for (const route of inOrder) {
    for (const asker of askers) {
      const { status, code, text } = await ask(recorded, route, asker);
      const said = `${asker.name}: ${route.method} ${route.path} ${status} ${code}`;
      if (route.permission === 'public') expect(['not-signed-in', 'not-permitted'], said).not.toContain(code);
      else if (asker.role === undefined) expect([status, code], said).toEqual([401, 'not-signed-in']);
      else if (!isPermitted(asker.role, route.permission!))
        expect([status, code], said).toEqual([403, 'not-permitted']);
      else if (route.isForPersons && !asker.isPerson)
        expect([status, code], said).toEqual([403, 'not-a-person']);
      else expect(permittedStatuses, said).toContain(status);
      if (text.includes('hushhush')) {
        expect(asker.isScoped, `${said} shows a table outside of the scope`).toBe(false);
        shown.set(route.path, (shown.get(route.path) ?? 0) + 1);
      }
    }
  }
  // Whoever may sees it: else this would show nothing.
  expect(shown.get('/api/v1/logs/{log}/entries')).toBe(6);
  expect(shown.get('/api/v1/logs/{log}/tables')).toBe(6);
  expect(shown.get('/api/v1/alerts')).toBe(6);
  expect(shown.get('/api/v1/health')).toBe(6);
}, 120_000);

/** What a browser says of requests that pages of other sites make it send. */
const foreign: readonly Record<string, string>[] = [
  ...['http://evil.example', 'https://bemi.test.evil.example', 'http://evil-bemi.test', 'http://a.bemi.test'],
  ...['http://bemi.test:8080', 'null'],
]
  .map((origin): Record<string, string> => ({ origin }))
  .concat(
    ['same-site', 'cross-site', 'none'].map((site) => ({ 'sec-fetch-site': site })),
    [{}],
  );

test('injection, odd texts, oversized and foreign requests are refused, and change nothing', async () => {
  const recorded = await recordedClinic(firstAdmin);
  const { routes, askers, dashboard, hidden } = recorded;
  const [inPerson, admin] = [askers[0]!, askers[1]!];
  const odd = [
    ...[`' OR true --`, '\0', '[', '../../../etc/passwd', '99999999999999999999', 'a=b'],
    ...[`"; DROP TABLE bemi.logs; --`, '$1', '%00', '\\', '-1', '1e400', '\u{10ffff}'],
    ...['(', '*', '{{', 'a~b', 'x'.repeat(3_000), '<script>', ''],
  ].slice(0, effort(6, 20));
  for (const route of routes.filter(({ method, path }) => method === 'GET' && !path.endsWith('/stream'))) {
    for (const { name } of route.parameters.filter(({ isText }) => isText)) {
      for (const text of odd) {
        const { status, code } = await ask(recorded, route, admin, { ...hidden, [name]: text });
        expect(
          [200, 302, 400, 404],
          `${route.path} ${name}=${text.slice(0, 40)} ${status} ${code}`,
        ).toContain(status);
      }
    }
  }
  const send = (path: string, init: RequestInit) => dashboard.request(`http://bemi.test${path}`, init);
  for (const route of routes) {
    const path = addressOf(route, hidden);
    if (route.method !== 'GET') {
      for (const from of foreign) {
        const { authorization: _, origin: __, ...cookie } = inPerson.headers as Record<string, string>;
        const headers = { ...cookie, 'content-type': 'application/json', ...from };
        const answer = await send(path, {
          method: route.method,
          headers,
          ...(route.hasBody ? { body: '{}' } : {}),
        });
        expect(answer.status, `${route.method} ${path} from ${JSON.stringify(from)}`).toBe(403);
      }
    }
    if (route.hasBody) {
      const withType = (type: string, body: string) =>
        send(path, {
          method: route.method,
          headers: { ...admin.headers, 'content-type': type, 'content-length': String(body.length) },
          body,
        });
      expect((await withType('application/json', `"${'x'.repeat(70_000)}"`)).status, path).toBe(413);
      expect((await withType('text/plain', '{}')).status, path).toBe(415);
      expect((await withType('application/x-www-form-urlencoded', 'a=b')).status, path).toBe(415);
      const broken = await withType('application/json', '{"a":');
      expect([400, 403], path).toContain(broken.status);
      expect(await broken.json(), path).toHaveProperty('error.code');
    }
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      if (method === 'TRACE' || routes.some((other) => other.path === route.path && other.method === method))
        continue;
      const headers = { ...admin.headers, 'content-type': 'application/json' };
      expect((await send(path, { method, headers })).status, `${method} ${path}`).toBe(404);
    }
  }
  const sql = await recorded.database.connect();
  const { rows } = await sql.query('SELECT count(*)::integer AS n FROM bemi.logs WHERE name = $1', [
    hidden['log'],
  ]);
  expect(rows).toEqual([{ n: 1 }]);
}, 120_000);

/** What a server with accounts answers to requests as they are, which no client has put right. */
async function rawServer() {
  const { dashboard } = await accountsOfTest();
  const server = createServer(requestListener(dashboard));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return (options: RequestOptions, body = '') =>
    new Promise<{ readonly status: number | undefined; readonly body: string }>((resolve, reject) => {
      httpRequest({ host: '127.0.0.1', port, agent: false, ...options }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, body: text }));
      })
        .on('error', reject)
        .end(body);
    });
}

test('no path leads out of the folder of the pages', async () => {
  const raw = await rawServer();
  for (const path of [
    ...[
      '/assets/../../../package.json',
      '/assets/..%2f..%2f..%2fpackage.json',
      '/assets/%2e%2e/%2e%2e/package.json',
    ],
    ...['/assets/..%5c..%5cpackage.json', '/assets/%2e%2e%2f%2e%2e%2fpackage.json', '/assets//etc/passwd'],
    ...['/..%2f..%2f..%2f..%2fetc/passwd', '//etc/passwd', '/assets/%00', '/assets/..', '/assets/.', '/%'],
  ]) {
    const { status, body } = await raw({ path });
    expect([200, 400, 404, 503], path).toContain(status);
    expect(body, path).not.toMatch(/"workspaces"|root:|"private"/);
    if (status === 200) expect(body, path).toContain('<div id="root">');
  }
});

test('a body that doesn’t say how long it is is not read, and none is no trouble', async () => {
  const raw = await rawServer();
  const headers = { origin: 'http://bemi.test', 'content-type': 'application/json' };
  const path = '/api/v1/auth/sign-in';
  const chunked = { ...headers, 'transfer-encoding': 'chunked' };
  expect((await raw({ method: 'POST', path, headers: chunked }, '{}')).status).toBe(411);
  const long = { ...headers, 'content-length': '70000' };
  expect((await raw({ method: 'POST', path, headers: long }, 'x'.repeat(70_000))).status).toBe(413);
  expect((await raw({ method: 'DELETE', path: '/api/v1/accounts/keys/x', headers })).status).toBe(401);
  expect((await raw({ method: 'POST', path, headers })).status).toBe(400);
});
