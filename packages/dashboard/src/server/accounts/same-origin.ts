import type { MiddlewareHandler } from 'hono';
import { ApiProblem } from '../api-problem.ts';

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
const withBody: readonly string[] = ['POST', 'PUT', 'PATCH'];

/**
 * What changes something comes from our own pages, or with a key, which no page of somebody else has: a browser sends its
 * cookies along with whatever another page makes it send. And it is JSON, which a form can't send.
 */
export function sameOrigin(publicUrl: string | undefined): MiddlewareHandler {
  const own = publicUrl === undefined ? undefined : new URL(publicUrl).host;
  return async (c, next) => {
    if (safeMethods.includes(c.req.method)) return await next();
    if (c.req.header('authorization') === undefined && !isOwn(c.req.raw.headers, own ?? c.req.header('host')))
      throw new ApiProblem(
        403,
        'foreign-origin',
        'The request is of another site’s page',
        'Open Bemi at its own address; BEMI_PUBLIC_URL says which that is. Programs send an API key.',
      );
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (withBody.includes(c.req.method) && type !== 'application/json')
      throw new ApiProblem(
        415,
        'not-json',
        'The body has to be JSON',
        'Send content-type: application/json.',
      );
    return await next();
  };
}

/** By what the browser says, and no page can: where a request is from, or at least that it is not from elsewhere. */
function isOwn(headers: Headers, host: string | undefined): boolean {
  const origin = headers.get('origin');
  if (origin === null) return headers.get('sec-fetch-site') === 'same-origin';
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
