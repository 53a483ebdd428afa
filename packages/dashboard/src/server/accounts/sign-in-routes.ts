import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  passwordSignInSchema,
  secondFactorSchema,
  signInOptionsSchema,
  signInStepSchema,
} from '../../api/account.ts';
import { problemSchema } from '../../api/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { addressOf } from '../asker.ts';
import { type DashboardEnvironment, guardedForPersons, json, openToAll } from '../guarded-route.ts';
import type { AccountServices } from './account-services.ts';
import { authHeaders, passCookies, refusalOf } from './auth-call.ts';
import { shortestPassword } from './password-rule.ts';
import { findSession } from './principal-of-session.ts';
import { limitedAttempt } from './sign-in-limits.ts';
import { noteRefusal, welcome } from './welcome.ts';

const limited = json(problemSchema, 'Too many attempts; `retry-after` says when to try again');

/** `/api/v1/auth`: coming and going, by password and second factor. */
export function signInRoutes(app: OpenAPIHono<DashboardEnvironment>, services: AccountServices): void {
  const { auth, database } = services;

  const options = openToAll({
    method: 'get',
    path: '/api/v1/auth/options',
    tags: ['Sign-in'],
    summary: 'How one can sign in',
    responses: { 200: json(signInOptionsSchema, 'What the page of sign-in shows') },
  });
  app.openapi(options, async (c) => {
    const { rows } = await database.pool.query<{ hasAdmin: boolean }>(
      `SELECT EXISTS (SELECT FROM bemi_accounts.people WHERE role = 'admin') AS "hasAdmin"`,
    );
    const { hasAdmin } = rows[0]!;
    return c.json({ hasAdmin, singleSignOn: services.singleSignOn !== undefined, shortestPassword }, 200);
  });

  const signIn = openToAll({
    method: 'post',
    path: '/api/v1/auth/sign-in',
    tags: ['Sign-in'],
    summary: 'Sign in by password',
    description: 'Sets a cookie. With a second factor, that of the next step alone.',
    request: {
      body: { required: true, content: { 'application/json': { schema: passwordSignInSchema } } },
    },
    responses: {
      200: json(signInStepSchema, 'Signed in, or what comes next'),
      401: json(problemSchema, 'Address or password is wrong'),
      429: limited,
    },
  });
  app.openapi(signIn, async (c) => {
    const { email, password } = c.req.valid('json');
    const attempt = await limitedAttempt(c, services, email);
    const { headers, response } = await auth.api
      .signInEmail({ body: { email, password }, headers: authHeaders(c), returnHeaders: true })
      .catch(async (error: unknown) => {
        refusalOf(error);
        await noteRefusal(c, services, { email, action: 'password' });
        throw new ApiProblem(
          401,
          'wrong-credentials',
          'Address or password is wrong',
          'Ask an admin for a new link.',
        );
      });
    await attempt.succeeded();
    if ('twoFactorRedirect' in response) {
      passCookies(c, headers);
      return c.json({ next: 'second-factor' as const }, 200);
    }
    await welcome(c, services, response.user.id, response.token);
    passCookies(c, headers);
    return c.json({ next: 'signed-in' as const }, 200);
  });

  const secondFactor = openToAll({
    method: 'post',
    path: '/api/v1/auth/second-factor',
    tags: ['Sign-in'],
    summary: 'The second step of signing in',
    request: { body: { required: true, content: { 'application/json': { schema: secondFactorSchema } } } },
    responses: {
      200: json(signInStepSchema, 'Signed in'),
      401: json(problemSchema, 'The code is wrong, or the first step too long ago'),
      429: limited,
    },
  });
  app.openapi(secondFactor, async (c) => {
    const { kind, code } = c.req.valid('json');
    if (await findSession(services, c.req.raw.headers))
      throw new ApiProblem(409, 'signed-in-already', 'You are signed in already', 'Sign out first.');
    const attempt = await limitedAttempt(c, services, undefined);
    const call = { body: { code }, headers: authHeaders(c), returnHeaders: true } as const;
    const { headers, response } = await (kind === 'totp'
      ? auth.api.verifyTOTP(call)
      : auth.api.verifyBackupCode(call)
    ).catch(async (error: unknown) => {
      const refusal = refusalOf(error);
      await noteRefusal(c, services, { email: undefined, action: 'second-factor' });
      throw refusedCode(refusal);
    });
    await attempt.succeeded();
    await welcome(c, services, response.user.id, response.token!);
    passCookies(c, headers);
    return c.json({ next: 'signed-in' as const }, 200);
  });

  const signOut = guardedForPersons('self', {
    method: 'post',
    path: '/api/v1/auth/sign-out',
    tags: ['Sign-in'],
    summary: 'Sign out',
    responses: { 204: { description: 'Signed out' } },
  });
  app.openapi(signOut, async (c) => {
    const { headers } = await auth.api.signOut({ headers: authHeaders(c), returnHeaders: true });
    passCookies(c, headers);
    await services.noteSignIn({ what: 'sign-out', via: 'dashboard', ...byPrincipal(c) });
    return c.body(null, 204);
  });
}

function refusedCode(refusal: string): ApiProblem {
  if (refusal === 'ACCOUNT_TEMPORARILY_LOCKED' || refusal === 'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE')
    return new ApiProblem(429, 'too-many-attempts', 'Too many wrong codes', 'Sign in again in 15 minutes.');
  if (refusal === 'INVALID_TWO_FACTOR_COOKIE')
    return new ApiProblem(
      401,
      'sign-in-over',
      'The first step is too long ago',
      'Enter your password again.',
    );
  return new ApiProblem(
    401,
    'wrong-code',
    'The code is wrong',
    'Look at the clock of your phone: codes are of the minute.',
  );
}

function byPrincipal(c: Context<DashboardEnvironment>) {
  const { id, name, email } = c.get('principal');
  const address = addressOf(c);
  return {
    by: { id, name, ...(email === undefined ? {} : { email }) },
    ...(address === undefined ? {} : { address }),
  };
}
