import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { bemiContext } from '@bemi-db/context/express';
import express, { type ErrorRequestHandler, type Request } from 'express';
import type { FrameworkUnderTest } from '../framework-under-test.ts';
import { close, listen, post } from '../http-server.ts';
import { contextFor } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

export const express5Application = application(express);
export const express4Application = application(createRequire(import.meta.url)('express-4'));

function application(framework: typeof express): FrameworkUnderTest {
  return {
    async start(visits) {
      const app = framework();
      app.set('trust proxy', 'loopback');
      app.use(framework.json());
      app.use(
        bemiContext((request: Request) =>
          contextFor({
            userId: request.get('x-user-id'),
            ipAddress: request.ip,
            endpoint: `${request.method} ${request.path}`,
            requestId: request.get('x-request-id'),
          }),
        ),
      );
      app.post('/one/:id', (request, response, next) => {
        visits.one(Number(request.params.id)).then(() => response.send('ok'), next);
      });
      app.post('/two/:id', (request, response, next) => {
        visits.two(Number(request.params.id)).then(() => response.send('ok'), next);
      });
      app.post('/fail', () => {
        throw new Error('a failure');
      });
      const onError: ErrorRequestHandler = (_error, _request, response, next) => {
        visits.one(100_000).then(() => response.send('written'), next);
      };
      app.use(onError);
      const server = createServer(app);
      const url = await listen(server);
      return {
        endpoint: (route, id) => `POST /${route}/${id}`,
        send: async (route, id, sender) => void (await post(`${url}/${route}/${id}`, { id }, sender)),
        particular: {
          'an error handler has the context': {
            run: () => post(`${url}/fail`, {}, STRANGER),
            recorded: { 100000: { ...STRANGER, endpoint: 'POST /fail' } },
          },
        },
        close: () => close(server),
      };
    },
  };
}
