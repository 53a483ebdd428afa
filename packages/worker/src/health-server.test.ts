import { expect, onTestFinished, test } from 'vitest';
import { type HealthServer, type ServedWorker, startHealthServer } from './health-server.ts';
import { newCounters, snapshotOf, type WorkerCounters } from './worker-status.ts';

async function serve(counters: WorkerCounters): Promise<HealthServer> {
  const server = await startHealthServer({
    workers: [{ name: 'app', status: () => snapshotOf(counters) }],
    port: 0,
  });
  onTestFinished(() => server.close());
  return server;
}

const ask = (server: HealthServer, path: string, method = 'GET') =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { method });

test('alive while the process lives, ready while it records', async () => {
  const counters = newCounters();
  const server = await serve(counters);
  expect((await ask(server, '/healthz')).status).toBe(200);
  const starting = await ask(server, '/readyz');
  expect(starting.status).toBe(503);
  expect(await starting.json()).toEqual({ state: 'starting' });

  counters.state = 'waiting';
  counters.problem = { code: 'password', message: 'Refused', fix: 'Correct it', kind: 'retry' };
  const waiting = await ask(server, '/readyz?verbose');
  expect(waiting.status).toBe(503);
  expect(await waiting.json()).toEqual({
    state: 'waiting',
    code: 'password',
    message: 'Refused',
    fix: 'Correct it',
  });

  counters.state = 'recording';
  expect((await ask(server, '/readyz')).status).toBe(200);
  expect(await (await ask(server, '/readyz', 'HEAD')).text()).toBe('');
  expect((await ask(server, '/readyz', 'POST')).status).toBe(405);
  expect((await ask(server, '/')).status).toBe(404);
});

test('a port in use, and an address of another machine', async () => {
  const { port } = await serve(newCounters());
  const status = () => snapshotOf(newCounters());
  await expect(startHealthServer({ workers: [{ name: 'app', status }], port })).rejects.toMatchObject({
    problem: { code: 'port-in-use', kind: 'configuration', fix: expect.stringContaining('BEMI_PORT') },
  });
  await expect(
    startHealthServer({ workers: [{ name: 'app', status }], port: 0, host: '192.0.2.1' }),
  ).rejects.toMatchObject({
    problem: { code: 'host-unknown', fix: expect.stringContaining('BEMI_HOST') },
  });
});

test('closing ends a connection that a probe keeps open', async () => {
  const server = await startHealthServer({
    workers: [{ name: 'app', status: () => snapshotOf(newCounters()) }],
    port: 0,
  });
  await (await ask(server, '/healthz')).text();
  await server.close();
  await expect(ask(server, '/healthz')).rejects.toThrow();
});

test('of several workers all must record; each, and its log, is asked for by its name', async () => {
  const [one, two] = [newCounters(), newCounters()];
  const resource = (text: string) => async (path: string) =>
    path === 'checkpoint'
      ? { contentType: 'text/plain', body: Buffer.from(text), isImmutable: false }
      : undefined;
  const server = await startHealthServer({
    workers: [
      { name: 'one', status: () => snapshotOf(one), readLog: resource('of one') },
      { name: 'two & more', status: () => snapshotOf(two), readLog: resource('of two') },
    ],
    port: 0,
  });
  onTestFinished(() => server.close());
  one.state = 'recording';
  two.state = 'waiting';
  two.problem = { code: 'password', message: 'Refused', fix: 'Correct it', kind: 'retry' };
  const all = await ask(server, '/readyz');
  expect(all.status).toBe(503);
  expect(await all.json()).toEqual({
    state: 'waiting',
    sources: {
      one: { state: 'recording' },
      'two & more': { state: 'waiting', code: 'password', message: 'Refused', fix: 'Correct it' },
    },
  });
  expect((await ask(server, '/readyz/one')).status).toBe(200);
  expect((await ask(server, '/readyz/two%20%26%20more')).status).toBe(503);
  expect((await ask(server, '/readyz/three')).status).toBe(404);
  expect(await (await ask(server, '/logs/two%20%26%20more/checkpoint')).text()).toBe('of two');
  expect((await ask(server, '/logs/one/tile/0/000')).status).toBe(404);
  expect((await ask(server, '/logs/%ff/checkpoint')).status).toBe(404);
  expect((await ask(server, '/checkpoint')).status).toBe(404);
  two.state = 'recording';
  expect((await ask(server, '/readyz')).status).toBe(200);
});

test('workers come and go; the first one’s log stays where it was', async () => {
  const [one, two] = [newCounters(), newCounters()];
  const served = (name: string, counters: typeof one) => ({
    ...{ name, status: () => snapshotOf(counters) },
    readLog: async () => ({ contentType: 'text/plain', body: Buffer.from(`of ${name}`), isImmutable: false }),
  });
  const workers: ServedWorker[] = [];
  const server = await startHealthServer({ workers, port: 0 });
  onTestFinished(() => server.close());
  const none = await ask(server, '/readyz');
  expect([none.status, await none.json()]).toEqual([200, expect.objectContaining({ state: 'no-source' })]);
  expect((await ask(server, '/checkpoint')).status).toBe(404);
  one.state = 'recording';
  workers.push({ ...served('one', one), isFirst: true });
  expect(await (await ask(server, '/checkpoint')).text()).toBe('of one');
  workers.push(served('two', two));
  expect(await (await ask(server, '/checkpoint')).text()).toBe('of one');
  expect(await (await ask(server, '/logs/two/checkpoint')).text()).toBe('of two');
  expect((await ask(server, '/readyz')).status).toBe(503);
  workers.splice(1);
  expect(await (await ask(server, '/readyz')).json()).toEqual({ state: 'recording' });
});
