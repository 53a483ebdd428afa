import { type MadeContext, withRequestContext } from './request-context.ts';

/** What is used of Koa's context. */
export interface KoaContext {
  /** Node's own request. */
  readonly req: object;
}

/** A middleware of Koa 2 or 3. */
export type KoaMiddleware<Context> = (context: Context, next: () => Promise<unknown>) => Promise<unknown>;

/**
 * Gives each request a scope of its own, and the context that the function makes of Koa's. Put it after what
 * identifies the user, and before the routes. The middlewares around it have the context too, once they are back
 * from `next()`.
 *
 * @param contextOf - if it throws, the request goes on, and its stored context says so.
 *
 * @example
 * app.use(bemiContext((context: Koa.Context) => ({ userId: context.state.user?.id, ipAddress: context.ip })));
 */
export function bemiContext<Context extends KoaContext>(
  contextOf: (context: Context) => MadeContext,
): KoaMiddleware<Context> {
  return async (context, next) => await withRequestContext(() => contextOf(context), next, context.req);
}
