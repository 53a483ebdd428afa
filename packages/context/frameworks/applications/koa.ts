import { createServer } from 'node:http';
import { bemiContext } from '@bemi-db/context/koa';
import Router from '@koa/router';
import Koa from 'koa';
import type { FrameworkUnderTest } from '../framework-under-test.ts';
import { close, listen, post } from '../http-server.ts';
import { contextFor } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

export const koaApplication: FrameworkUnderTest = {
  async start(visits) {
    const app = new Koa({ proxy: true, maxIpsCount: 1 });
    app.use(async (context, next) => {
      await next();
      if (context.path === '/upstream') await visits.one(100_000);
    });
    app.use(
      bemiContext((context: Koa.Context) =>
        contextFor({
          userId: context.get('x-user-id'),
          ipAddress: context.ip,
          endpoint: `${context.method} ${context.path}`,
          requestId: context.get('x-request-id'),
        }),
      ),
    );
    app.use(async (context, next) => {
      await next();
      if (context.path === '/upstream') await visits.one(100_001);
    });
    const router = new Router();
    router.post('/one/:id', async (context) => {
      await visits.one(Number(context.params['id']));
      context.body = 'ok';
    });
    router.post('/two/:id', async (context) => {
      await visits.two(Number(context.params['id']));
      context.body = 'ok';
    });
    router.post('/upstream', (context) => {
      context.body = 'ok';
    });
    app.use(router.routes());
    const server = createServer(app.callback());
    const url = await listen(server);
    return {
      endpoint: (route, id) => `POST /${route}/${id}`,
      send: async (route, id, sender) => void (await post(`${url}/${route}/${id}`, { id }, sender)),
      particular: {
        'what comes upstream has the context, within the adapter and around it': {
          run: () => post(`${url}/upstream`, {}, STRANGER),
          recorded: Object.fromEntries(
            [100_000, 100_001].map((id) => [id, { ...STRANGER, endpoint: 'POST /upstream' }]),
          ),
        },
      },
      close: () => close(server),
    };
  },
};
