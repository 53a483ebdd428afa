import { parseConnectionString } from '@bemi-db/source/connection-string';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { type Role, roles } from '../src/api/permission.ts';
import { type AccountsOfTest, browserOf, goodPassword } from './accounts-of-test.ts';

/** Somebody who asks, and as what the server has to know them. */
export interface Asker {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined`: nobody. */
  readonly role: Role | undefined;
  readonly isPerson: boolean;
  readonly isScoped: boolean;
}

const origin = { origin: 'http://bemi.test' };

/** People and keys of every role, with and without a scope, and all that must be taken for nobody. */
export async function everyAsker(of: AccountsOfTest, tables: readonly string[]): Promise<Asker[]> {
  const ada = await of.admin();
  const client = new pg.Client(parseConnectionString(of.database.url, 'the test').config);
  await client.connect();
  onTestFinished(() => client.end());
  const askers: Asker[] = [];
  const cookieOf = (cookies: ReadonlyMap<string, string>): string => [...cookies.values()].join('; ');

  const key = async (role: Role, scope: readonly string[] | null): Promise<string> => {
    const wanted = { name: role, role, tables: scope, days: 1 };
    return ((await (await ada.send('POST', '/api/v1/accounts/keys', wanted)).json()) as { key: string }).key;
  };
  const byKey = (text: string) => ({ authorization: `Bearer ${text}` });
  for (const role of roles) {
    const scopes = role === 'admin' ? [null] : [null, tables];
    for (const scope of scopes) {
      const what = scope ? `scoped ${role}` : role;
      const known = { role, isScoped: scope !== null };
      askers.push({
        ...known,
        ...{ name: `${what}’s key`, isPerson: false, headers: byKey(await key(role, scope)) },
      });
      const email = `${what.replace(' ', '.')}@clinic.example`;
      const person = await invited(of, ada, { email, name: what, role, tables: scope });
      const headers = { ...origin, cookie: cookieOf(person.cookies) };
      askers.push({ ...known, name: `${what} in person`, isPerson: true, headers });
    }
  }

  const nobody = { role: undefined, isPerson: false, isScoped: false };
  const adminCookie = cookieOf(ada.cookies);
  const adminKey = await key('admin', null);
  const otherKey = await key('admin', null);
  const expired = await key('admin', null);
  const revoked = await key('admin', null);
  await client.query(
    `UPDATE bemi_accounts.api_keys SET expires_at = now() - interval '1 second' WHERE id = substr($1, 9, 12)`,
    [expired],
  );
  const answer = await ada.send('DELETE', `/api/v1/accounts/keys/${revoked.slice(8, 20)}`);
  if (answer.status !== 204) throw new Error(`a key was not revoked: ${answer.status}`);
  const changed = async (email: string, sql: string): Promise<string> => {
    const person = await invited(of, ada, { email, name: email, role: 'admin', tables: null });
    await client.query(sql, [email]);
    return cookieOf(person.cookies);
  };
  const ofPerson = `(SELECT id FROM bemi_accounts.people WHERE email = $1)`;
  const forged = adminCookie.replace(/(session_token=.{10})./, (_, text: string) => `${text}_`);
  const unsigned = adminCookie.replace(/\..*$/, '');
  for (const [name, headers] of Object.entries({
    nobody: {},
    'an expired key': byKey(expired),
    'a revoked key': byKey(revoked),
    'the secret of another key': byKey(adminKey.slice(0, 20) + otherKey.slice(20)),
    'a key cut short': byKey(adminKey.slice(0, -1)),
    'a key as a password': { authorization: `Basic ${btoa(`admin:${adminKey}`)}` },
    'a wrong key with a good cookie': { ...byKey(`${adminKey.slice(0, -4)}aaaa`), cookie: adminCookie },
    'a forged cookie': { cookie: forged },
    'a cookie without its signature': { cookie: unsigned },
    'a cookie of another server': { cookie: adminCookie.replace(/%2B|%2F|%3D|[a-z](?=[^a-z]*$)/, 'Z') },
    'a disabled person': {
      cookie: await changed(
        'd@x.example',
        'UPDATE bemi_accounts.people SET disabled_at = now() WHERE email = $1',
      ),
    },
    'a person without a role': {
      cookie: await changed('n@x.example', 'UPDATE bemi_accounts.people SET role = NULL WHERE email = $1'),
    },
    'an ended session': {
      cookie: await changed(
        'e@x.example',
        `DELETE FROM bemi_accounts.sessions WHERE person_id = ${ofPerson}`,
      ),
    },
    'an idle session': {
      cookie: await changed(
        'i@x.example',
        `UPDATE bemi_accounts.sessions SET seen_at = now() - interval '12 hours 1 second' WHERE person_id = ${ofPerson}`,
      ),
    },
    'an old session': {
      cookie: await changed(
        'o@x.example',
        `UPDATE bemi_accounts.sessions SET expires_at = now() - interval '1 second' WHERE person_id = ${ofPerson}`,
      ),
    },
  }))
    askers.push({ ...nobody, name, headers: { ...origin, ...headers } });
  return askers;
}

/** The first admin: in person, then by a key. */
export async function firstAdmin(of: AccountsOfTest): Promise<Asker[]> {
  const ada = await of.admin();
  const wanted = { name: 'Ada’s key', role: 'admin', tables: null, days: 1 };
  const made = await ada.send('POST', '/api/v1/accounts/keys', wanted);
  const { key } = (await made.json()) as { readonly key: string };
  const admin = { role: 'admin', isScoped: false } as const;
  const cookie = [...ada.cookies.values()].join('; ');
  return [
    { ...admin, name: 'Ada', isPerson: true, headers: { ...origin, cookie } },
    { ...admin, name: 'Ada’s key', isPerson: false, headers: { authorization: `Bearer ${key}` } },
  ];
}

async function invited(
  { dashboard }: AccountsOfTest,
  admin: ReturnType<typeof browserOf>,
  wanted: {
    readonly email: string;
    readonly name: string;
    readonly role: Role;
    readonly tables: readonly string[] | null;
  },
): Promise<ReturnType<typeof browserOf>> {
  const { path } = (await (await admin.send('POST', '/api/v1/accounts/invitations', wanted)).json()) as {
    readonly path: string;
  };
  const browser = browserOf(dashboard, 'http://bemi.test');
  const token = path.slice(path.indexOf('#') + 1);
  const answer = await browser.send('POST', '/api/v1/auth/link/accept', { token, password: goodPassword });
  if (!answer.ok) throw new Error(`${wanted.email} could not accept: ${await answer.text()}`);
  return browser;
}
