import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { singleSignOnSchema } from '../../api/account.ts';
import { problemSchema } from '../../api/problem.ts';
import { ApiProblem } from '../api-problem.ts';
import { type DashboardEnvironment, json, openToAll } from '../guarded-route.ts';
import type { AccountServices } from './account-services.ts';
import { authHeaders, passCookies } from './auth-call.ts';
import { authPath, singleSignOnId } from './authentication.ts';
import { limitedAttempt } from './sign-in-limits.ts';
import { noteRefusal, welcome } from './welcome.ts';

/** `/api/v1/auth/single-sign-on`, and the way back from the provider. */
export function singleSignOnRoutes(app: OpenAPIHono<DashboardEnvironment>, services: AccountServices): void {
  const { auth } = services;

  const begin = openToAll({
    method: 'post',
    path: '/api/v1/auth/single-sign-on',
    tags: ['Sign-in'],
    summary: 'Sign in with the configured provider',
    description: 'The browser goes on to the address that this gives.',
    responses: {
      200: json(singleSignOnSchema, 'Where to go'),
      404: json(problemSchema, 'None is configured'),
      429: json(problemSchema, 'Too many attempts'),
      503: json(problemSchema, 'The provider can’t be reached'),
    },
  });
  app.openapi(begin, async (c) => {
    if (!services.singleSignOn)
      throw new ApiProblem(
        404,
        'no-single-sign-on',
        'No single sign-on is configured',
        'Set BEMI_OIDC_ISSUER.',
      );
    await limitedAttempt(c, services, undefined);
    const { headers, response } = await auth.api
      .signInSocial({
        body: {
          ...{ provider: singleSignOnId, disableRedirect: true },
          ...{ callbackURL: '/', errorCallbackURL: '/sign-in' },
        },
        headers: authHeaders(c),
        returnHeaders: true,
      })
      .catch((cause: unknown) => {
        throw new ApiProblem(
          503,
          'provider-unreachable',
          'The provider of single sign-on can’t be reached',
          'Try again, or sign in by password. Admins: look at BEMI_OIDC_ISSUER.',
          { cause },
        );
      });
    passCookies(c, headers);
    return c.json({ url: response.url ?? '/sign-in' }, 200);
  });

  const back = openToAll({
    method: 'get',
    path: `${authPath}/callback/${singleSignOnId}`,
    tags: ['Sign-in'],
    summary: 'The way back from single sign-on',
    description: 'For browsers: answers with a redirection, in any case.',
    responses: { 302: { description: 'To the page, or to the sign-in with what went wrong' } },
  });
  app.openapi(back, async (c) => {
    if (!services.singleSignOn) return c.redirect('/sign-in?problem=no-single-sign-on');
    const answer = await auth.handler(new Request(c.req.url, { headers: authHeaders(c) }));
    const session = await sessionOf(c, services, answer.headers);
    if (!session) {
      await noteRefusal(c, services, { email: undefined, action: 'single-sign-on' });
      return c.redirect(`/sign-in?problem=${problemOf(answer.headers.get('location'))}`);
    }
    try {
      await welcome(c, services, session.personId, session.token);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      return c.redirect(`/sign-in?problem=${error.code}`);
    }
    passCookies(c, answer.headers);
    return c.redirect('/');
  });
}

/** That which the answer sets a cookie for. */
async function sessionOf(
  c: Context,
  { auth }: AccountServices,
  answered: Headers,
): Promise<{ readonly personId: string; readonly token: string } | undefined> {
  const cookie = answered
    .getSetCookie()
    .map((each) => each.slice(0, each.indexOf(';')))
    .join('; ');
  if (cookie === '') return undefined;
  const headers = authHeaders(c);
  headers.set('cookie', cookie);
  const found = await auth.api.getSession({ headers });
  return found ? { personId: found.user.id, token: found.session.token } : undefined;
}

/** What we have words for; nothing of what the provider says reaches the page. */
function problemOf(location: string | null): string {
  const error =
    location === null ? '' : (new URL(location, 'http://localhost').searchParams.get('error') ?? '');
  if (error === 'access_denied') return 'refused-there';
  if (error === 'account_not_linked') return 'not-linked';
  return 'single-sign-on';
}
