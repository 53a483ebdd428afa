import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { mergeBemiContext } from '@bemi-db/context';
import { bemiContext } from '@bemi-db/context/fastify';
import { type FastifyRequest, fastify } from 'fastify';
import { fastify as fastify4 } from 'fastify-4';
import type { FrameworkUnderTest } from '../framework-under-test.ts';
import { header, headersOf, post, urlOf } from '../http-server.ts';
import { contextFor, type Visits } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

export const fastify5Application = application(fastify);
export const fastify4Application = application(fastify4 as unknown as typeof fastify);

const options = { trustProxy: 'loopback', requestIdHeader: 'x-request-id' } as const;

function application(framework: typeof fastify): FrameworkUnderTest {
  return {
    async start(visits) {
      const app = framework(options);
      await app.register(context);
      await app.register(async (routes) => {
        routes.post<{ Params: { id: number } }>('/one/:id', ({ params }) => visits.one(Number(params.id)));
        routes.post<{ Params: { id: number } }>('/two/:id', ({ params }) => visits.two(Number(params.id)));
      });
      app.post('/fail', () => Promise.reject(new Error('a failure')));
      app.setErrorHandler(async (_error, _request, reply) => {
        await visits.one(100_000);
        return await reply.code(200).send('written');
      });
      const responded = hooksThatWrite(app, visits);
      await app.listen({ port: 0, host: '127.0.0.1' });
      const url = urlOf(app.server);
      return {
        endpoint: (route) => `POST /${route}/:id`,
        send: async (route, id, sender) => void (await post(`${url}/${route}/${id}`, { id }, sender)),
        particular: {
          'an error handler has the context': {
            run: () => post(`${url}/fail`, {}, STRANGER),
            recorded: { 100000: { ...STRANGER, endpoint: 'POST /fail' } },
          },
          'the hooks have the context': {
            run: async () => {
              await post(`${url}/hooks`, {}, STRANGER);
              await responded;
            },
            recorded: Object.fromEntries(
              [100_001, 100_002, 100_003].map((id) => [id, { ...STRANGER, endpoint: 'POST /hooks' }]),
            ),
          },
          'a body that arrives late, by HTTP/2, has the context': {
            run: () => overHttp2(framework, visits.one),
            recorded: Object.fromEntries(
              [100_020, 100_021].map((id) => [id, { ...STRANGER, endpoint: 'POST /one', hook: 'onRequest' }]),
            ),
          },
          'requests that are injected while another one is handled have contexts of their own': {
            run: () => post(`${url}/batch`, {}, STRANGER),
            recorded: {
              100010: injectedContext(100_010),
              100011: injectedContext(100_011),
              100012: { ...STRANGER, endpoint: 'POST /batch' },
            },
          },
        },
        close: () => app.close(),
      };
    },
  };
}

const context = bemiContext((request: FastifyRequest) =>
  contextFor({
    userId: header(request.headers, 'x-user-id'),
    ipAddress: request.ip,
    endpoint: `${request.method} ${request.routeOptions.url}`,
    requestId: request.id,
  }),
);

/** Node opens no scope for a request of HTTP/2, and the body's stream calls back from elsewhere. */
async function overHttp2(framework: typeof fastify, write: (id: number) => Promise<void>): Promise<void> {
  const app = framework({ ...options, http2: true });
  await app.register(context as never);
  app.addHook('onRequest', async () => mergeBemiContext({ hook: 'onRequest' }));
  app.post('/one', () => write(100_020));
  const responded = new Promise<void>((resolve, reject) => {
    app.addHook('onResponse', () => write(100_021).then(resolve, reject));
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const session = connect(urlOf(app.server as unknown as Server));
  const stream = session.request({ ...headersOf(STRANGER), ':method': 'POST', ':path': '/one' });
  await delay(20);
  stream.end('{}');
  await once(stream.resume(), 'end');
  await responded;
  session.close();
  await app.close();
}

function injected(id: number) {
  return { userId: `user ${id}`, ipAddress: '203.0.113.9', requestId: String(id) };
}

function injectedContext(id: number) {
  return { ...injected(id), endpoint: 'POST /one/:id' };
}

/** @returns when the hook has written that runs after the response was sent. */
function hooksThatWrite(app: ReturnType<typeof fastify>, visits: Visits): Promise<void> {
  return new Promise((resolve, reject) => {
    app.route({
      method: 'POST',
      url: '/hooks',
      preHandler: () => visits.one(100_001),
      onSend: () => visits.one(100_002),
      onResponse: () => visits.one(100_003).then(resolve, reject),
      handler: async () => 'ok',
    });
    app.post('/batch', async () => {
      const send = (id: number) =>
        app.inject({ method: 'POST', url: `/one/${id}`, headers: headersOf(injected(id)), payload: {} });
      await Promise.all([send(100_010), send(100_011)]);
      await visits.one(100_012);
    });
  });
}
