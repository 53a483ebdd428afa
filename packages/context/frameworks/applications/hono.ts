import type { Server } from 'node:http';
import { bemiContext } from '@bemi-db/context/hono';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { streamText } from 'hono/streaming';
import type { FrameworkUnderTest } from '../framework-under-test.ts';
import { close, headersOf, listen, post } from '../http-server.ts';
import { contextFor } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

export const honoApplication: FrameworkUnderTest = {
  async start(visits) {
    const app = new Hono<{ Bindings: HttpBindings }>();
    app.use(
      bemiContext((context: Context) =>
        contextFor({
          userId: context.req.header('x-user-id'),
          ipAddress: context.req.header('x-forwarded-for'),
          endpoint: `${context.req.method} ${context.req.path}`,
          requestId: context.req.header('x-request-id'),
        }),
      ),
    );
    app.post('/one/:id', async (context) => {
      await visits.one(Number(context.req.param('id')));
      return context.text('ok');
    });
    app.post('/two/:id', async (context) => {
      await visits.two(Number(context.req.param('id')));
      return context.text('ok');
    });
    app.post('/stream', (context) =>
      streamText(context, async (stream) => {
        for (const id of [100_000, 100_001]) {
          await stream.sleep(1);
          await visits.one(id);
          await stream.write('row');
        }
      }),
    );
    app.post('/pull', () => new Response(rowsOnDemand([100_002, 100_003, 100_004], visits.one)));
    app.post('/fail', () => {
      throw new Error('a failure');
    });
    app.onError(async (_error, context) => {
      await visits.one(100_005);
      return context.text('written');
    });
    const server = createAdaptorServer(app) as Server;
    const url = await listen(server);
    const sent = (path: string, ids: readonly number[]) => ({
      run: () => post(url + path, {}, STRANGER),
      recorded: Object.fromEntries(ids.map((id) => [id, { ...STRANGER, endpoint: `POST ${path}` }])),
    });
    return {
      endpoint: (route, id) => `POST /${route}/${id}`,
      send: async (route, id, sender) => void (await post(`${url}/${route}/${id}`, { id }, sender)),
      particular: {
        'a response that is streamed has the context': sent('/stream', [100_000, 100_001]),
        'so has one that is read from a stream later': sent('/pull', [100_002, 100_003, 100_004]),
        'so has the error handler': sent('/fail', [100_005]),
        'a request without a server has a scope of its own': {
          run: async () => {
            await app.request('/one/100010', { method: 'POST', headers: headersOf(STRANGER) });
            await visits.one(100_011);
          },
          recorded: { 100010: { ...STRANGER, endpoint: 'POST /one/100010' }, 100011: null },
        },
      },
      close: () => close(server),
    };
  },
};

function rowsOnDemand(
  ids: readonly number[],
  write: (id: number) => Promise<void>,
): ReadableStream<Uint8Array> {
  const left = [...ids];
  return new ReadableStream({
    async pull(controller) {
      const id = left.shift();
      if (id === undefined) return controller.close();
      await write(id);
      controller.enqueue(new TextEncoder().encode('row'));
    },
  });
}
