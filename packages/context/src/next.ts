/**
 * Next.js has no place that all requests pass on their way to a handler (its `proxy.ts` and `middleware.ts` run
 * elsewhere): each handler that writes is wrapped.
 */
import { eachWithContext, type MadeContext } from './request-context.ts';

/** Makes a handler run in a scope of its own. */
type Wrap<Request> = <Given extends Request, Rest extends unknown[], Result>(
  handler: (request: Given, ...rest: Rest) => Result,
) => (request: Given, ...rest: Rest) => Promise<Awaited<Result>>;

/**
 * For route handlers and API routes of the Pages Router: makes a function that wraps a handler. Each request has a
 * scope of its own, then, with the context that `contextOf` makes of it.
 *
 * @param contextOf - if it throws, the request goes on, and its stored context says so.
 *
 * @example
 * const withContext = bemiContext(async (request: NextRequest) => ({
 *   userId: (await auth())?.user.id,
 *   endpoint: `${request.method} ${request.nextUrl.pathname}`,
 * }));
 * export const POST = withContext(async (request: NextRequest) => Response.json(await create(request)));
 */
export function bemiContext<Request extends object>(
  contextOf: (request: Request) => MadeContext,
): Wrap<Request> {
  return (handler) =>
    eachWithContext(
      handler,
      (request, ..._rest) => contextOf(request),
      (request, ..._rest) => request,
    );
}

/**
 * For server actions: makes a function that wraps an action. Each call has a scope of its own, then, with the
 * context that `contextOf` makes.
 *
 * @param contextOf - finds the request by Next's own `headers()` and `cookies()`. If it throws, the action goes on,
 *   and its stored context says so.
 *
 * @example
 * const withContext = bemiActionContext(async () => ({ userId: (await auth())?.user.id }));
 * export const rename = withContext(async (form: FormData) => {
 *   await db.update(patient).set({ name: String(form.get('name')) });
 * });
 */
export function bemiActionContext(
  contextOf: () => MadeContext,
): <Args extends unknown[], Result>(
  action: (...args: Args) => Result,
) => (...args: Args) => Promise<Awaited<Result>> {
  return (action) => eachWithContext(action, contextOf);
}
