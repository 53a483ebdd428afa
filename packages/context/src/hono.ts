import { type MadeContext, withRequestContext } from './request-context.ts';

/** What is used of Hono's context. On Node, its server puts Node's own request in `env.incoming`. */
export interface HonoContext {
  readonly env: unknown;
}

/** A middleware of Hono 4. */
export type HonoMiddleware<Context> = (context: Context, next: () => Promise<void>) => Promise<void>;

/**
 * Gives each request a scope of its own, and the context that the function makes of Hono's. Put it after what
 * identifies the user, and before the routes. What a response streams has the context too.
 *
 * @param contextOf - if it throws, the request goes on, and its stored context says so.
 *
 * @example
 * app.use(
 *   bemiContext((context: Context) => ({
 *     userId: context.req.header('x-user-id'),
 *     ipAddress: getConnInfo(context).remote.address,
 *     endpoint: `${context.req.method} ${context.req.path}`,
 *   })),
 * );
 */
export function bemiContext<Context extends HonoContext>(
  contextOf: (context: Context) => MadeContext,
): HonoMiddleware<Context> {
  return async (context, next) =>
    await withRequestContext(() => contextOf(context), next, incomingOf(context.env));
}

function incomingOf(env: unknown): object | undefined {
  if (typeof env !== 'object' || env === null || !('incoming' in env)) return undefined;
  return typeof env.incoming === 'object' && env.incoming !== null ? env.incoming : undefined;
}
