import { type MadeContext, withRequestContext } from './request-context.ts';

/** A middleware of Express 4 or 5. */
export type ExpressMiddleware<Request> = (request: Request, response: unknown, next: () => void) => void;

/**
 * Gives each request a scope of its own, and the context that the function makes of the request. Put it after what
 * reads bodies and identifies the user, and before the routes. Within the request, `setBemiContext` and
 * `mergeBemiContext` change its context.
 *
 * @param contextOf - if it throws, the request goes on, and its stored context says so.
 *
 * @example
 * app.use(bemiContext((request: Request) => ({ userId: request.get('x-user-id'), ipAddress: request.ip })));
 */
export function bemiContext<Request extends object>(
  contextOf: (request: Request) => MadeContext,
): ExpressMiddleware<Request> {
  return (request, _response, next) => {
    void withRequestContext(() => contextOf(request), next, request);
  };
}
