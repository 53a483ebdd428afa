import { randomBytes } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import pg from 'pg';
import { acceptLinkSchema, linkTokenSchema, oneTimeLinkSchema, signInStepSchema } from '../../api/account.ts';
import { problemSchema } from '../../api/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { type DashboardEnvironment, json, openToAll } from '../guarded-route.ts';
import type { AccountServices } from './account-services.ts';
import { authHeaders, passCookies } from './auth-call.ts';
import { checkPassword } from './check-password.ts';
import { findLink, type Link, useLink } from './one-time-link.ts';
import { limitedAttempt } from './sign-in-limits.ts';
import { welcome, whence } from './welcome.ts';

const uniqueViolation = '23505';

/** `/api/v1/auth/link`: what comes of the one-time links of the first admin, of invitations and of forgotten passwords. */
export function linkRoutes(app: OpenAPIHono<DashboardEnvironment>, services: AccountServices): void {
  const { auth, database } = services;

  const look = openToAll({
    method: 'post',
    path: '/api/v1/auth/link',
    tags: ['Sign-in'],
    summary: 'What a one-time link is for',
    request: { body: { required: true, content: { 'application/json': { schema: linkTokenSchema } } } },
    responses: {
      200: json(oneTimeLinkSchema, 'Who it is for'),
      404: json(problemSchema, 'It was used, is over, or never was'),
      429: json(problemSchema, 'Too many attempts'),
    },
  });
  app.openapi(look, async (c) => {
    const attempt = await limitedAttempt(c, services, undefined);
    const { kind, email, name, role } = present(await findLink(database.pool, c.req.valid('json').token));
    await attempt.succeeded();
    return c.json({ kind, email: email ?? null, name: name ?? null, role: role ?? null }, 200);
  });

  const accept = openToAll({
    method: 'post',
    path: '/api/v1/auth/link/accept',
    tags: ['Sign-in'],
    summary: 'Set a password by a one-time link, and sign in',
    request: { body: { required: true, content: { 'application/json': { schema: acceptLinkSchema } } } },
    responses: {
      200: json(signInStepSchema, 'Signed in'),
      404: json(problemSchema, 'It was used, is over, or never was'),
      409: json(problemSchema, 'This person has an account already'),
      422: json(problemSchema, 'The password is not good enough'),
      429: json(problemSchema, 'Too many attempts'),
    },
  });
  app.openapi(accept, async (c) => {
    const { token, password, ...said } = c.req.valid('json');
    const attempt = await limitedAttempt(c, services, undefined);
    const link = present(await findLink(database.pool, token));
    const { email, name } =
      link.email === undefined ? said : { email: link.email, name: said.name ?? link.name };
    if (email === undefined)
      throw new ApiProblem(400, 'no-address', 'An address is missing', 'Enter your e-mail address.');
    const person = { email, name: name ?? email };
    checkPassword(password, person);
    const hash = await (await auth.$context).password.hash(password);
    await database.transaction(async (client) => {
      const used = present(await useLink(client, token));
      const id = used.personId ?? randomBytes(18).toString('base64url');
      await (used.kind === 'reset'
        ? resetPassword(client, id, hash)
        : createPerson(client, { ...person, id }, used, hash));
      await services.recordChange({
        ...{ what: 'account', by: { ...person, id }, subject: id },
        action: used.kind === 'reset' ? 'password-reset' : 'created',
        ...whence(c),
      });
    });
    await attempt.succeeded();
    const { headers, response } = await auth.api.signInEmail({
      ...{ body: { email, password }, headers: authHeaders(c), returnHeaders: true },
    });
    await welcome(c, services, response.user.id, response.token);
    passCookies(c, headers);
    return c.json({ next: 'signed-in' as const }, 200);
  });
}

function present(link: Link | undefined): Link {
  if (link) return link;
  throw new ApiProblem(
    404,
    'link-over',
    'This link was used, or is too old',
    'Ask an admin for another. That of the first admin is printed when Bemi starts.',
  );
}

async function createPerson(
  client: pg.ClientBase,
  { id, email, name }: { readonly id: string; readonly email: string; readonly name: string },
  { role, tables }: Link,
  hash: string,
): Promise<void> {
  try {
    // An admin vouches for the address: single sign-on with it is of the same person.
    await client.query(
      `INSERT INTO bemi_accounts.people (id, email, name, email_verified, role, tables) VALUES ($1, $2, $3, true, $4, $5)`,
      [id, email, name, role, tables],
    );
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.code !== uniqueViolation) throw error;
    throw new ApiProblem(409, 'account-exists', 'There is an account with this address', 'Sign in with it.', {
      cause: error,
    });
  }
  await insertPassword(client, id, hash);
}

/** Whoever had the password, or the phone, is out. */
async function resetPassword(client: pg.ClientBase, id: string, hash: string): Promise<void> {
  await client.query(
    `DELETE FROM bemi_accounts.credentials WHERE person_id = $1 AND provider_id = 'credential'`,
    [id],
  );
  await insertPassword(client, id, hash);
  await client.query('DELETE FROM bemi_accounts.second_factors WHERE person_id = $1', [id]);
  await client.query('DELETE FROM bemi_accounts.sessions WHERE person_id = $1', [id]);
  await client.query('UPDATE bemi_accounts.people SET two_factor_enabled = false WHERE id = $1', [id]);
}

async function insertPassword(client: pg.ClientBase, personId: string, hash: string): Promise<void> {
  await client.query(
    `INSERT INTO bemi_accounts.credentials (id, person_id, provider_id, account_id, password)
     VALUES ($1, $2, 'credential', $2, $3)`,
    [randomBytes(18).toString('base64url'), personId, hash],
  );
}
