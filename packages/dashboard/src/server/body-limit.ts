import type { MiddlewareHandler } from 'hono';
import { ApiProblem } from './api-problem.ts';

/**
 * Refuses what is too large before any of it is read. A body says how long it is: Node reads no more of it than that, and
 * ours are small texts, which every client knows the length of. (Hono's own limit makes a copy of a request without a
 * length, which the requests of @hono/node-server are not made for.)
 */
export function bodyLimit(mostBytes: number): MiddlewareHandler {
  return async (c, next) => {
    const length = c.req.header('content-length');
    if (length === undefined && c.req.header('transfer-encoding') !== undefined)
      throw new ApiProblem(411, 'no-length', 'The body has to say how long it is', 'Send content-length.');
    if (Number(length ?? 0) > mostBytes)
      throw new ApiProblem(413, 'body-too-large', `A body has ${mostBytes} bytes at most`);
    await next();
  };
}
