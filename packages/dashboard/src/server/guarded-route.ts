import { createRoute, type RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { isPermitted, type Permission, roles } from '../api/permission.ts';
import { problemSchema } from '../api/problem.ts';
import { ApiProblem } from './api-problem.ts';
import type { Principal } from './principal.ts';

/** What handlers find in their context. */
export interface DashboardEnvironment {
  readonly Variables: {
    /** Set by `guarded`; whoever got to the handler may do what the route says. */
    readonly principal: Principal;
    /** Where the request comes from: use `addressOf`. */
    readonly address?: string;
  };
}

export const json = <T>(schema: T, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/**
 * A route of the API that asks for a permission. What it asks for is in the OpenAPI document as `x-permission`; a test
 * asks each route as each role.
 */
export function guarded<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(
  permission: Permission,
  config: R,
) {
  const allowed = roles.filter((role) => isPermitted(role, permission)).join(', ');
  return createRoute({
    ...config,
    middleware: requires(permission),
    security: [{ session: [] }, { apiKey: [] }],
    'x-permission': permission,
    description: [config.description, `For the roles ${allowed}.`]
      .filter((text) => text !== undefined)
      .join(' '),
    responses: {
      400: json(problemSchema, 'The request can’t be understood'),
      401: json(problemSchema, 'Nobody is signed in'),
      403: json(problemSchema, 'This role may not'),
      404: json(problemSchema, 'There is no such thing, or not for this role'),
      ...config.responses,
    } as R['responses'],
  });
}

/** Like {@link guarded}, for what an API key has none of: a password, sessions. `x-principal` says so. */
export function guardedForPersons<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(
  permission: Permission,
  config: R,
) {
  const route = guarded(permission, config);
  return { ...route, middleware: [route.middleware, isPerson], 'x-principal': 'person' };
}

/** A route that anybody may call who has the address of the server. */
export function openToAll<P extends string, R extends Omit<RouteConfig, 'path'> & { path: P }>(config: R) {
  return createRoute({
    ...config,
    security: [],
    'x-permission': 'public',
    responses: {
      400: json(problemSchema, 'The request can’t be understood'),
      ...config.responses,
    } as R['responses'],
  });
}

const isPerson: MiddlewareHandler<DashboardEnvironment> = async (c, next) => {
  if (c.get('principal').kind !== 'person')
    throw new ApiProblem(403, 'not-a-person', 'An API key has no account of its own', 'Sign in as a person.');
  await next();
};

function requires(permission: Permission): MiddlewareHandler<DashboardEnvironment> {
  return async (c, next) => {
    const principal = c.get('principal') as Principal | undefined;
    if (!principal)
      throw new ApiProblem(401, 'not-signed-in', 'Nobody is signed in', 'Sign in, or send an API key.');
    if (!isPermitted(principal.role, permission))
      throw new ApiProblem(
        403,
        'not-permitted',
        `The role ${principal.role} may not do this`,
        'Ask an admin.',
      );
    await next();
  };
}
