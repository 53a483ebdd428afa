import { inThisScope, openRequestScope } from './context.ts';
import { addContext, type MadeContext } from './request-context.ts';

/** What is used of Fastify's request. */
export interface FastifyRequestLike {
  /** Node's own request. */
  readonly raw: object;
}

type Done = () => void;
type Hook<Request> = (request: Request, reply: unknown, done: Done) => void;
type HookWithValue<Request> = (request: Request, reply: unknown, value: unknown, done: Done) => void;

/** What is used of Fastify's instance. */
export interface FastifyLike<Request> {
  addHook(name: 'onRequest' | 'preValidation' | 'preHandler' | 'onResponse', hook: Hook<Request>): unknown;
  addHook(name: 'onSend' | 'onError', hook: HookWithValue<Request>): unknown;
}

/** A plugin of Fastify 4 or 5. */
export type FastifyPlugin = (instance: object, options: unknown, done: Done) => void;

/**
 * Gives each request a scope of its own, and the context that the function makes of the request: in a `preHandler`
 * hook, behind the global hooks that identify the user. Within the request, `setBemiContext` and `mergeBemiContext`
 * change its context, and all hooks from `preHandler` on, error handlers and `onResponse` have it.
 *
 * @param contextOf - if it throws, the request goes on, and its stored context says so.
 *
 * @example
 * await app.register(
 *   bemiContext((request: FastifyRequest) => ({
 *     userId: request.headers['x-user-id'],
 *     ipAddress: request.ip,
 *     endpoint: `${request.method} ${request.routeOptions.url}`,
 *     requestId: request.id,
 *   })),
 * );
 */
export function bemiContext<Request extends FastifyRequestLike>(
  contextOf: (request: Request) => MadeContext,
): FastifyPlugin {
  const scopes = new WeakMap<object, (work: Done) => void>();
  /** Fastify calls back from the body's stream and the response's: outside of the scope. */
  const again = (request: Request, done: Done): void => (scopes.get(request) ?? call)(done);

  const plugin: FastifyPlugin = (instance, _options, registered) => {
    const app = instance as FastifyLike<Request>;
    app.addHook('onRequest', (request, _reply, done) =>
      openRequestScope(request.raw, () => {
        scopes.set(request, inThisScope(call));
        done();
      }),
    );
    app.addHook('preValidation', (request, _reply, done) => again(request, done));
    app.addHook('preHandler', (request, _reply, done) =>
      again(request, () => {
        const adding = addContext(() => contextOf(request));
        if (adding === undefined) done();
        else void adding.then(done);
      }),
    );
    app.addHook('onSend', (request, _reply, _payload, done) => again(request, done));
    app.addHook('onError', (request, _reply, _error, done) => again(request, done));
    app.addHook('onResponse', (request, _reply, done) => again(request, done));
    registered();
  };
  // The hooks are for the whole application, not for what else is registered within this plugin: nothing.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@bemi-db/context',
  });
}

function call(work: Done): void {
  work();
}
