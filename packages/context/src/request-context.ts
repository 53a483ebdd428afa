/**
 * The context of one request, message or job, made by a function of the application: what all adapters to
 * frameworks do.
 */
import { type BemiContext, mergeBemiContext, openRequestScope } from './context.ts';

/** What the application's function may return. Undefined adds nothing. */
export type MadeContext = BemiContext | undefined | Promise<BemiContext | undefined>;

/** Stands in a context whose function threw: `{"_bemi_dropped":{"/contextOf":"it threw"}}` is what is stored. */
const THREW: object = Object.freeze(Object.create({ [Symbol.toStringTag]: 'it threw' }) as object);

/**
 * Opens the scope, adds the context that the function makes to the one that is there, and goes on.
 *
 * If the function throws, or its promise is rejected, the request goes on all the same: its stored context says so
 * in `_bemi_dropped`, and so does Node's warning `BEMI_CONTEXT_NOT_MADE`, once in a process.
 *
 * @param contextOf - called within the scope.
 * @param proceed - called when the context is there: at once, unless the function returned a promise.
 * @param request - see {@link openRequestScope}.
 */
export function withRequestContext<T>(
  contextOf: () => MadeContext,
  proceed: () => T,
  request?: object,
): T | Promise<Awaited<T>> {
  return openRequestScope<T | Promise<Awaited<T>>>(request, () => {
    const adding = addContext(contextOf);
    return adding === undefined ? proceed() : after(adding, proceed);
  });
}

/** Makes of a handler one that does the same, each call with a context of its own. */
export function eachWithContext<Args extends unknown[], Result>(
  handler: (...args: Args) => Result,
  contextOf: (...args: Args) => MadeContext,
  request?: (...args: Args) => object,
): (...args: Args) => Promise<Awaited<Result>> {
  return async (...args): Promise<Awaited<Result>> =>
    await withRequestContext(
      () => contextOf(...args),
      () => handler(...args),
      request?.(...args),
    );
}

async function after<T>(adding: Promise<void>, proceed: () => T): Promise<Awaited<T>> {
  await adding;
  return await proceed();
}

/**
 * Adds what the function makes to the context of the open scope. It never throws.
 *
 * @returns when it will be there; undefined if it is already.
 */
export function addContext(contextOf: () => MadeContext): Promise<void> | undefined {
  try {
    const made = contextOf();
    if (!isPromise(made)) {
      add(made);
      return undefined;
    }
    return made.then(add).catch(addFailure);
  } catch (error) {
    addFailure(error);
    return undefined;
  }
}

function isPromise(made: MadeContext): made is Promise<BemiContext | undefined> {
  return typeof made === 'object' && typeof made.then === 'function';
}

function add(made: BemiContext | undefined): void {
  if (made !== undefined) mergeBemiContext(made);
}

let warned = false;

function addFailure(error: unknown): void {
  mergeBemiContext({ contextOf: THREW });
  if (warned) return;
  warned = true;
  process.emitWarning(
    'The function that makes the context of a request threw. The request went on without.',
    {
      code: 'BEMI_CONTEXT_NOT_MADE',
      detail: placeOf(error),
    },
  );
}

/** Without the error's message, which may hold what the user sent. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return `It threw a ${typeof error}.`;
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return [error.name, ...frames].join('\n');
}
