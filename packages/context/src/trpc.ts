import { inThisScope } from './context.ts';
import { type MadeContext, withRequestContext } from './request-context.ts';

/** What is used of the call of a procedure. */
export interface TrpcCall {
  readonly ctx: unknown;
  /** The procedure's path, as in `patient.rename`. */
  readonly path: string;
  readonly type: string;
}

/** A middleware of tRPC 10 or 11. */
export type TrpcMiddleware<Call> = <Result extends object>(
  call: Call & { next(): Promise<Result> },
) => Promise<Result>;

/**
 * Gives each call of a procedure a scope of its own, calls of one batch too, and the context that the function makes
 * of the call. What a subscription yields, or a response that is streamed, has the context too.
 *
 * @param contextOf - if it throws, the call goes on, and its stored context says so.
 *
 * @example
 * const procedure = t.procedure.use(
 *   bemiContext(({ ctx, path }: { ctx: Context; path: string; type: string }) => ({
 *     userId: ctx.userId,
 *     endpoint: path,
 *   })),
 * );
 */
export function bemiContext<Call extends TrpcCall>(
  contextOf: (call: Call) => MadeContext,
): TrpcMiddleware<Call> {
  return async (call) =>
    await withRequestContext(
      () => contextOf(call),
      async () => iteratedHere(await call.next()),
    );
}

/** A generator runs where it is read from: in the middle of the response. */
function iteratedHere<Result extends object>(result: Result): Result {
  if (!('data' in result) || !isAsyncIterable(result.data)) return result;
  const { data } = result;
  const here = inThisScope(<T>(work: () => T): T => work()) as <T>(work: () => T) => T;
  const iterable: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]() {
      const iterator = here(() => data[Symbol.asyncIterator]());
      return {
        next: () => here(() => iterator.next()),
        return: async (value) =>
          (await here(() => iterator.return?.(value))) ?? { done: true, value: undefined },
      };
    },
  };
  return { ...result, data: iterable };
}

function isAsyncIterable(data: unknown): data is AsyncIterable<unknown> {
  return typeof data === 'object' && data !== null && Symbol.asyncIterator in data;
}
