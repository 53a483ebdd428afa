/**
 * The application's context: who changes data, from where and why.
 *
 * A context belongs to a *scope*, and scopes follow the calls, promises and callbacks that start within them
 * (Node's AsyncLocalStorage). There are two kinds:
 *
 * - A request's scope. Each request that Node's HTTP server takes in has one of its own, and each adapter to a
 *   framework opens one. Setting the context changes it for all of the request, also when a function sets it that
 *   the request's handler merely awaits (a guard, a hook).
 * - Any other: a script, a job, `runWithBemiContext`. Setting the context opens a new scope for what follows, and
 *   changes nothing for whoever else runs in the old one: a server that was started within a scope shares that
 *   scope with everything it handles.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** Who changes data, from where and why: any members that JSON can hold. */
export type BemiContext = Readonly<Record<string, unknown>>;

interface Scope {
  current: BemiContext | undefined;
  /** Set in a request's scope. */
  readonly request?: {
    /** The context that the request began with. */
    readonly initial: BemiContext | undefined;
    /** Node's own request, if it has one. */
    readonly of?: object | undefined;
  };
}

/**
 * One storage for the process, though a bundler or a second copy of the package loads this module again. The
 * symbol names the shape of `Scope`: a new shape needs a new symbol.
 */
const STORAGE = Symbol.for('@bemi-db/context/scope/1');
const shared = globalThis as { [STORAGE]?: AsyncLocalStorage<Scope | undefined> };
shared[STORAGE] ??= newStorage();
const storage = shared[STORAGE];

/**
 * On a connection that is kept alive, Node 20 handles each request in the asynchronous context that the one
 * before it left behind, a scope that it entered included. So each gets its scope: a request that sets no context
 * would else write in the name of the user before it.
 */
function newStorage(): AsyncLocalStorage<Scope | undefined> {
  const scopes = new AsyncLocalStorage<Scope | undefined>();
  subscribe('http.server.request.start', (message) => {
    const initial = initialContext(scopes.getStore());
    const { request } = message as { readonly request?: object };
    scopes.enterWith({ current: initial, request: { initial, of: request } });
  });
  return scopes;
}

/** What a request begins with: nothing of what another one has set. */
function initialContext(around: Scope | undefined): BemiContext | undefined {
  return around?.request ? around.request.initial : around?.current;
}

/**
 * Sets the context of what this code writes from here on, in place of the one before. It needs no enclosing
 * scope: at the top of a script it holds for the script, in an HTTP request for the request.
 *
 * Elsewhere, where one callback handles one unit of work after the other (a queue, a timer, a web socket), use
 * {@link runWithBemiContext}: a context that is set holds until another one is set.
 *
 * @param context - copied one level deep; don't change what it refers to afterwards. What JSON can't hold is left
 *   out, and `_bemi_dropped` in the stored context says so.
 *
 * @example
 * setBemiContext({ userId: user.id, role: user.role, accessReason: 'Annual check-up' });
 */
export function setBemiContext(context: BemiContext): void {
  const scope = storage.getStore();
  if (scope?.request) scope.current = copyOf(context);
  else storage.enterWith({ current: copyOf(context) });
}

/**
 * Adds members to the context, replacing those of the same name. Otherwise like {@link setBemiContext}.
 *
 * @example
 * mergeBemiContext({ accessReason: 'Prescription renewal' });
 */
export function mergeBemiContext(members: BemiContext): void {
  setBemiContext({ ...currentBemiContext(), ...members });
}

/** The context that a write would carry now; undefined if none is set. */
export function currentBemiContext(): BemiContext | undefined {
  return storage.getStore()?.current;
}

/**
 * Does some work in a scope of its own, with the given context. The context around it is as before afterwards.
 *
 * The result is awaited inside the scope: queries that begin only when they are awaited, as Prisma's and
 * Drizzle's do, have the context too.
 *
 * @returns what the work returns; it throws what the work throws.
 *
 * @example
 * const patient = await runWithBemiContext({ job: 'import' }, () => prisma.patient.create({ data }));
 */
export function runWithBemiContext<T>(context: BemiContext, work: () => T | PromiseLike<T>): Promise<T> {
  return storage.run({ current: copyOf(context) }, async () => await work());
}

/**
 * Does the work of one request, message or job in a scope of its own, which begins with the context around it: for
 * adapters to frameworks. The work is not awaited.
 *
 * @param request - Node's own request, if the framework shows it. The scope that it has from Node's HTTP server is
 *   used, then, so that what runs outside of the adapter's part (an error handler, the source of a stream) has the
 *   context too.
 * @returns what `handle` returns.
 */
export function openRequestScope<T>(request: object | undefined, handle: () => T): T {
  const around = storage.getStore();
  if (request !== undefined && around?.request?.of === request) return handle();
  return storage.run(
    { current: around?.current, request: { initial: initialContext(around), of: request } },
    handle,
  );
}

/** Like {@link openRequestScope}, for frameworks that offer no function to call: what follows is in the scope. */
export function enterRequestScope(): void {
  const around = storage.getStore();
  storage.enterWith({ current: around?.current, request: { initial: initialContext(around) } });
}

/** Makes a function that runs in the scope of here, wherever it is called from. */
export function inThisScope<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  const scope = storage.getStore();
  return (...args) => storage.run(scope, work, ...args);
}

/** Frozen: the message that is made of it is kept. */
function copyOf(context: BemiContext): BemiContext {
  try {
    return Object.freeze({ ...context });
  } catch {
    // A getter threw. The message leaves out that member; here the application must not fail for it.
    return context;
  }
}
