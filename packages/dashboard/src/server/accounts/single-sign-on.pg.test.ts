import { expect, test } from 'vitest';
import { type AccountsOfTest, accountsOfTest, type Browser } from '../../../test/accounts-of-test.ts';
import { serveOidcProvider } from '../../../test/oidc-provider.ts';
import type { Role } from '../../api/permission.ts';

async function withProvider(defaultRole: Role | undefined) {
  const provider = await serveOidcProvider();
  const { issuer, clientId, clientSecret } = provider;
  const of = await accountsOfTest({ singleSignOn: { issuer, clientId, clientSecret, defaultRole } });
  return { provider, of };
}

/** Where somebody ends who signs in there. */
async function signIn({ browser }: AccountsOfTest, who: Browser = browser()): Promise<string> {
  const begun = await who.send('POST', '/api/v1/auth/single-sign-on', {});
  const { url } = (await begun.json()) as { readonly url: string };
  const there = await fetch(url, { redirect: 'manual' });
  const back = new URL(there.headers.get('location')!);
  expect(back.pathname).toBe('/api/v1/auth/callback/oidc');
  const answer = await who.get(`${back.pathname}${back.search}`);
  expect(answer.status).toBe(302);
  return answer.headers.get('location')!;
}

test('whoever comes by single sign-on waits for a role, and then is in', async () => {
  const { provider, of } = await withProvider(undefined);
  const ada = await of.admin();
  expect(await signIn(of)).toBe('/sign-in?problem=no-role');
  const { people } = (await (await ada.get('/api/v1/accounts/people')).json()) as {
    readonly people: readonly { readonly id: string; readonly email: string; readonly role: string | null }[];
  };
  const mary = people.find(({ email }) => email === 'mary@clinic.example')!;
  expect(mary.role).toBeNull();
  const wanted = { role: 'auditor', tables: ['public.*'], isDisabled: false };
  expect((await ada.send('PUT', `/api/v1/accounts/people/${mary.id}`, wanted)).status).toBe(200);

  const browser = of.browser();
  expect(await signIn(of, browser)).toBe('/');
  const session = await (await browser.get('/api/v1/session')).json();
  expect(session).toMatchObject({ email: 'mary@clinic.example', role: 'auditor', tables: ['public.*'] });

  // A token that another key signed; and a code that comes back to a browser that never asked for it.
  provider.person = { ...provider.person, forged: true };
  expect(await signIn(of)).toBe('/sign-in?problem=single-sign-on');
  provider.person = { ...provider.person, forged: false };
  const asked = of.browser();
  const begun = (await (await asked.send('POST', '/api/v1/auth/single-sign-on', {})).json()) as {
    url: string;
  };
  const back = new URL((await fetch(begun.url, { redirect: 'manual' })).headers.get('location')!);
  const stranger = of.browser();
  const answer = await stranger.get(`${back.pathname}${back.search}`);
  expect(answer.headers.get('location')).toMatch(/^\/sign-in\?problem=/);
  expect((await stranger.get('/api/v1/session')).status).toBe(401);

  // An address that is not confirmed there is nobody's here.
  provider.person = { sub: '9', email: 'ada@clinic.example', email_verified: false, name: 'Not Ada' };
  expect(await signIn(of)).toBe('/sign-in?problem=not-linked');
});

test('a default role lets in whom the provider lets in; one that is disabled stays out', async () => {
  const { of } = await withProvider('viewer');
  const ada = await of.admin();
  const browser = of.browser();
  expect(await signIn(of, browser)).toBe('/');
  expect(await (await browser.get('/api/v1/session')).json()).toMatchObject({ role: 'viewer' });
  const sql = await of.database.connect();
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM bemi_accounts.people WHERE email = 'mary@clinic.example'`,
  );
  const wanted = { role: 'viewer', tables: null, isDisabled: true };
  expect((await ada.send('PUT', `/api/v1/accounts/people/${rows[0]!.id}`, wanted)).status).toBe(200);
  expect((await browser.get('/api/v1/session')).status).toBe(401);
  expect(await signIn(of)).toBe('/sign-in?problem=disabled');
});
