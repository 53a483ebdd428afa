import { type BemiContext, openRequestScope } from './context.ts';

/** A middleware of Express 4 or 5. */
export type ExpressMiddleware<Request> = (request: Request, response: unknown, next: () => void) => void;

/**
 * Gives each request a scope of its own, and the context that the function makes of the request. Put it after what
 * identifies the user and before the routes. Within the request, `setBemiContext` and `mergeBemiContext` change
 * its context.
 *
 * @param contextOf - what it throws goes to Express's error handler, as from any middleware.
 *
 * @example
 * app.use(bemiContext((request: Request) => ({ userId: request.user?.id, endpoint: request.path })));
 */
export function bemiContext<Request>(
  contextOf: (request: Request) => BemiContext | undefined,
): ExpressMiddleware<Request> {
  return (request, _response, next) => openRequestScope(contextOf(request), next);
}
