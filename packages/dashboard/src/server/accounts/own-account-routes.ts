import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import {
  ownAccountSchema,
  passwordChangeSchema,
  passwordOnlySchema,
  totpCodeSchema,
  totpSetupSchema,
} from '../../api/account.ts';
import { problemSchema } from '../../api/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import { type DashboardEnvironment, guardedForPersons, json } from '../guarded-route.ts';
import type { AccountServices } from './account-services.ts';
import { authHeaders, passCookies, refusalOf } from './auth-call.ts';
import { checkPassword } from './check-password.ts';
import { readOwnAccount } from './people.ts';
import { findSession } from './principal-of-session.ts';
import { limitedAttempt } from './sign-in-limits.ts';

const body = <T>(schema: T) => ({ body: { required: true, content: { 'application/json': { schema } } } });
const refused = {
  401: json(problemSchema, 'The password or the code is wrong'),
  429: json(problemSchema, 'Too many attempts'),
};
const done = { 204: { description: 'Done' } };
const tags = ['Own account'];

/** `/api/v1/auth/account`: one's own password, second factor and sessions. */
export function ownAccountRoutes(app: OpenAPIHono<DashboardEnvironment>, services: AccountServices): void {
  const { auth, database } = services;
  const record = (c: Context<DashboardEnvironment>, action: string) =>
    services.recordChange({ what: 'account', subject: c.get('principal').id, action, ...askerOf(c) });

  const own = guardedForPersons('self', {
    ...{ method: 'get', path: '/api/v1/auth/account', tags, summary: 'My account' },
    responses: { 200: json(ownAccountSchema, 'Password, second factor and sessions') },
  });
  app.openapi(own, async (c) => {
    const session = await findSession(services, c.req.raw.headers);
    return c.json(await readOwnAccount(database, c.get('principal').id, session?.id), 200);
  });

  const password = guardedForPersons('self', {
    ...{ method: 'put', path: '/api/v1/auth/account/password', tags, summary: 'Change my password' },
    description: 'Ends all other sessions.',
    request: body(passwordChangeSchema),
    responses: { ...done, ...refused, 422: json(problemSchema, 'The password is not good enough') },
  });
  app.openapi(password, async (c) => {
    const { currentPassword, newPassword } = c.req.valid('json');
    const { name, email = '' } = c.get('principal');
    checkPassword(newPassword, { name, email });
    const headers = await withPassword(c, services, async () => {
      const changed = await auth.api.changePassword({
        ...{ body: { currentPassword, newPassword, revokeOtherSessions: true } },
        ...{ headers: authHeaders(c), returnHeaders: true },
      });
      return changed.headers;
    });
    await record(c, 'password-changed');
    passCookies(c, headers);
    return c.body(null, 204);
  });

  const enable = guardedForPersons('self', {
    ...{ method: 'post', path: '/api/v1/auth/account/totp', tags, summary: 'Begin with a second factor' },
    description: 'It counts once a code of it was confirmed.',
    request: body(passwordOnlySchema),
    responses: { 200: json(totpSetupSchema, 'For an authenticator. Shown once'), ...refused },
  });
  app.openapi(enable, async (c) => {
    const answer = await withPassword(c, services, () =>
      auth.api.enableTwoFactor({ body: c.req.valid('json'), headers: authHeaders(c), returnHeaders: true }),
    );
    const { response } = answer;
    if (!('totpURI' in response)) throw new Error('no secret for an authenticator was made');
    passCookies(c, answer.headers);
    return c.json({ uri: response.totpURI, backupCodes: response.backupCodes }, 200);
  });

  const confirm = guardedForPersons('self', {
    ...{
      method: 'post',
      path: '/api/v1/auth/account/totp/confirm',
      tags,
      summary: 'Confirm a second factor',
    },
    request: body(totpCodeSchema),
    responses: { ...done, ...refused },
  });
  app.openapi(confirm, async (c) => {
    const attempt = await limitedAttempt(c, services, c.get('principal').email);
    const { headers } = await auth.api
      .verifyTOTP({ body: c.req.valid('json'), headers: authHeaders(c), returnHeaders: true })
      .catch((error: unknown) => {
        refusalOf(error);
        throw new ApiProblem(401, 'wrong-code', 'The code is wrong', 'Look at the clock of your phone.');
      });
    await attempt.succeeded();
    await record(c, 'second-factor-on');
    passCookies(c, headers);
    return c.body(null, 204);
  });

  const disable = guardedForPersons('self', {
    ...{ method: 'post', path: '/api/v1/auth/account/totp/off', tags, summary: 'Do without a second factor' },
    request: body(passwordOnlySchema),
    responses: { ...done, ...refused },
  });
  app.openapi(disable, async (c) => {
    const { headers } = await withPassword(c, services, () =>
      auth.api.disableTwoFactor({ body: c.req.valid('json'), headers: authHeaders(c), returnHeaders: true }),
    );
    await record(c, 'second-factor-off');
    passCookies(c, headers);
    return c.body(null, 204);
  });

  const end = guardedForPersons('self', {
    ...{
      method: 'delete',
      path: '/api/v1/auth/account/sessions/{id}',
      tags,
      summary: 'End one of my sessions',
    },
    request: { params: z.object({ id: z.string() }) },
    responses: done,
  });
  app.openapi(end, async (c) => {
    const { rowCount } = await database.pool.query(
      'DELETE FROM bemi_accounts.sessions WHERE id = $1 AND person_id = $2',
      [c.req.valid('param').id, c.get('principal').id],
    );
    if (rowCount === 0) throw new ApiProblem(404, 'unknown-session', 'There is no such session');
    await services.noteSignIn({ what: 'sign-out', ...askerOf(c), action: 'session-ended' });
    return c.body(null, 204);
  });
}

/** What takes one's password again: guesses count like those of a sign-in. */
async function withPassword<T>(
  c: Context<DashboardEnvironment>,
  services: AccountServices,
  call: () => Promise<T>,
): Promise<T> {
  const attempt = await limitedAttempt(c, services, c.get('principal').email);
  const result = await call().catch((error: unknown) => {
    const refusal = refusalOf(error);
    if (refusal === 'CREDENTIAL_ACCOUNT_NOT_FOUND')
      throw new ApiProblem(
        409,
        'no-password',
        'This account has no password',
        'It signs in by single sign-on.',
      );
    if (refusal === 'TOTP_ALREADY_ENABLED')
      throw new ApiProblem(409, 'second-factor-on', 'There is a second factor already', 'Turn it off first.');
    throw new ApiProblem(401, 'wrong-password', 'The password is wrong', 'Enter your current password.');
  });
  await attempt.succeeded();
  return result;
}
