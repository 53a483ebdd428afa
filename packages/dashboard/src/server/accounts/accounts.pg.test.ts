import { expect, test } from 'vitest';
import { accountsOfTest, goodPassword } from '../../../test/accounts-of-test.ts';
import { codeOf } from '../../../test/authenticator.ts';
import { migrateAccounts } from './accounts-schema.ts';

test('the first admin comes by a link, once; then by password', async () => {
  const { accounts, admin, browser, accesses, database } = await accountsOfTest();
  const spare = await accounts.firstAdminLink();
  expect(spare?.url).toMatch(/^http:\/\/bemi\.test\/join#[\w-]{43}$/);
  const ada = await admin();
  expect(await (await ada.get('/api/v1/session')).json()).toMatchObject({
    name: 'Ada',
    role: 'admin',
    tables: null,
    hasAccounts: true,
  });
  expect(await accounts.firstAdminLink()).toBeUndefined();
  const eve = browser();
  const token = new URL(spare!.url).hash.slice(1);
  const second = { token, email: 'eve@clinic.example', password: goodPassword };
  expect((await eve.send('POST', '/api/v1/auth/link/accept', second)).status).toBe(404);

  const other = browser();
  const wrong = { email: 'ada@clinic.example', password: 'not this one at all' };
  expect((await other.send('POST', '/api/v1/auth/sign-in', wrong)).status).toBe(401);
  expect((await other.get('/api/v1/session')).status).toBe(401);
  const right = { email: 'ADA@clinic.example', password: goodPassword };
  const answer = await other.send('POST', '/api/v1/auth/sign-in', right);
  expect(await answer.json()).toEqual({ next: 'signed-in' });
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^bemi\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/),
  ]);
  expect((await other.get('/api/v1/session')).status).toBe(200);
  const before = new Map(other.cookies);
  expect((await other.send('POST', '/api/v1/auth/sign-out')).status).toBe(204);
  expect(other.cookies.size).toBe(0);
  for (const [name, pair] of before) other.cookies.set(name, pair);
  expect((await other.get('/api/v1/session')).status).toBe(401);

  expect(accesses.map(({ what, action, by }) => [what, action, by?.email])).toEqual([
    ['account', 'created', 'ada@clinic.example'],
    ['sign-in', undefined, 'ada@clinic.example'],
    ['sign-in-failed', 'password', 'ada@clinic.example'],
    ['sign-in', undefined, 'ada@clinic.example'],
    ['sign-out', undefined, 'ada@clinic.example'],
  ]);
  const sql = await database.connect();
  const { rows } = await sql.query<{ text: string }>(
    `SELECT string_agg(t::text, ' ') AS text FROM (SELECT p::text FROM bemi_accounts.people p UNION ALL
       SELECT c::text FROM bemi_accounts.credentials c UNION ALL SELECT l::text FROM bemi_accounts.links l) t`,
  );
  expect(rows[0]!.text).not.toContain(token);
  expect(rows[0]!.text).not.toContain(goodPassword);
});

test('a second factor is asked for once it was confirmed; a backup code works once', async () => {
  const { admin, browser, accesses } = await accountsOfTest();
  const ada = await admin();
  const password = { password: goodPassword };
  expect((await ada.send('POST', '/api/v1/auth/account/totp', { password: 'wrong' })).status).toBe(401);
  const setup = await ada.send('POST', '/api/v1/auth/account/totp', password);
  const { uri, backupCodes } = (await setup.json()) as { uri: string; backupCodes: string[] };
  const code = () => codeOf(uri);
  const credentials = { email: 'ada@clinic.example', ...password };
  const early = browser();
  expect(await (await early.send('POST', '/api/v1/auth/sign-in', credentials)).json()).toEqual({
    next: 'signed-in',
  });

  expect((await ada.send('POST', '/api/v1/auth/account/totp/confirm', { code: '000000' })).status).toBe(401);
  expect((await ada.send('POST', '/api/v1/auth/account/totp/confirm', { code: code() })).status).toBe(204);
  expect(await (await ada.get('/api/v1/auth/account')).json()).toMatchObject({ hasSecondFactor: true });

  const enter = async (kind: string, text: string) => {
    const other = browser();
    const first = await other.send('POST', '/api/v1/auth/sign-in', credentials);
    expect(await first.json()).toEqual({ next: 'second-factor' });
    expect((await other.get('/api/v1/session')).status).toBe(401);
    const second = await other.send('POST', '/api/v1/auth/second-factor', { kind, code: text });
    expect((await other.get('/api/v1/session')).status).toBe(second.status);
    return second.status;
  };
  expect(await enter('totp', '000000')).toBe(401);
  expect(await enter('totp', code())).toBe(200);
  expect(await enter('backup-code', backupCodes[0]!)).toBe(200);
  expect(await enter('backup-code', backupCodes[0]!)).toBe(401);
  expect(
    (await browser().send('POST', '/api/v1/auth/second-factor', { kind: 'totp', code: '000000' })).status,
  ).toBe(401);
  const failed = accesses.filter(({ what }) => what === 'sign-in-failed');
  expect(failed.map(({ action }) => action)).toEqual(['second-factor', 'second-factor', 'second-factor']);

  expect((await ada.send('POST', '/api/v1/auth/account/totp/off', password)).status).toBe(204);
  expect(await (await early.send('POST', '/api/v1/auth/sign-in', credentials)).json()).toEqual({
    next: 'signed-in',
  });
});

test('an account is guessed at ten times, then no more for a while, whatever the address', async () => {
  const { admin, browser, database } = await accountsOfTest();
  await admin();
  const guess = (password: string) =>
    browser().send('POST', '/api/v1/auth/sign-in', { email: 'ada@clinic.example', password });
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => guess(`wrong password ${i}`)));
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(401), 429, 429]);
  const refused = await guess(goodPassword);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const sql = await database.connect();
  await sql.query(`UPDATE bemi_accounts.attempts SET since = since - interval '15 minutes'`);
  expect((await guess(goodPassword)).status).toBe(200);
});

test('the last admin stays; an admin has no scope; changes that can’t be recorded are not made', async () => {
  const { admin, accesses } = await accountsOfTest({
    record: async (access) => {
      if (access.what === 'key') throw new Error('no entry of the log');
    },
    onError: () => undefined,
  });
  const ada = await admin();
  expect(accesses).toEqual([]);
  const { people } = (await (await ada.get('/api/v1/accounts/people')).json()) as {
    people: { id: string }[];
  };
  const path = `/api/v1/accounts/people/${people[0]!.id}`;
  const change = (wanted: object) =>
    ada.send('PUT', path, { role: 'admin', tables: null, isDisabled: false, ...wanted });
  expect((await change({ role: 'viewer' })).status).toBe(409);
  expect((await change({ isDisabled: true })).status).toBe(409);
  expect((await change({ tables: ['public.*'] })).status).toBe(400);
  expect((await ada.send('DELETE', path)).status).toBe(409);
  const key = { name: 'x', role: 'viewer', tables: null, days: null };
  expect((await ada.send('POST', '/api/v1/accounts/keys', key)).status).toBe(503);
  expect(await (await ada.get('/api/v1/accounts/keys')).json()).toEqual({ keys: [] });
});

test('an API key counts until it expires, or is revoked, and no longer', async () => {
  const { admin, browser, database } = await accountsOfTest();
  const ada = await admin();
  const make = async (days: number | null) => {
    const wanted = { name: 'nightly', role: 'viewer', tables: ['public.visit'], days };
    return (await (await ada.send('POST', '/api/v1/accounts/keys', wanted)).json()) as {
      id: string;
      key: string;
    };
  };
  const ask = (key: string) =>
    browser().send('GET', '/api/v1/session', undefined, { authorization: `Bearer ${key}` });
  const [short, endless] = [await make(1), await make(null)];
  expect(await (await ask(short.key)).json()).toMatchObject({
    ...{ kind: 'api-key', name: 'nightly', role: 'viewer', tables: ['public.visit'] },
  });
  expect((await ask(endless.key)).status).toBe(200);
  // The id of one with the secret of the other.
  const secret = endless.key.slice(endless.key.indexOf(endless.id) + endless.id.length);
  expect((await ask(`${short.key.slice(0, -secret.length)}${secret}`)).status).toBe(401);

  const client = await database.connect();
  await client.query(`UPDATE bemi_accounts.api_keys SET expires_at = expires_at - interval '1 day'`);
  expect((await ask(short.key)).status).toBe(401);
  expect((await ask(endless.key)).status).toBe(200);
  expect((await ada.send('DELETE', `/api/v1/accounts/keys/${endless.id}`)).status).toBe(204);
  expect((await ask(endless.key)).status).toBe(401);
  expect((await ada.send('DELETE', `/api/v1/accounts/keys/${endless.id}`)).status).toBe(404);
});

test('a link works for a while; so does a session, and for less long where nobody uses it', async () => {
  const { admin, browser, database } = await accountsOfTest();
  const ada = await admin();
  const client = await database.connect();
  const wanted = { email: 'grace@clinic.example', role: 'viewer', tables: null };
  const { path } = (await (await ada.send('POST', '/api/v1/accounts/invitations', wanted)).json()) as {
    path: string;
  };
  const accept = { token: path.slice(path.indexOf('#') + 1), name: 'Grace', password: goodPassword };
  const grace = browser();
  await client.query(`UPDATE bemi_accounts.links SET expires_at = expires_at - interval '30 days'`);
  expect((await grace.send('POST', '/api/v1/auth/link/accept', accept)).status).toBe(404);
  await client.query(`UPDATE bemi_accounts.links SET expires_at = expires_at + interval '30 days'`);
  expect((await grace.send('POST', '/api/v1/auth/link/accept', accept)).status).toBe(200);

  const status = async () => (await grace.get('/api/v1/session')).status;
  const sessions = (change: string) => client.query(`UPDATE bemi_accounts.sessions SET ${change}`);
  expect(await status()).toBe(200);
  await sessions(`seen_at = seen_at - interval '2 days'`);
  expect(await status()).toBe(401);
  await sessions('seen_at = now()');
  expect(await status()).toBe(200);
  await sessions(`expires_at = now() - interval '1 second'`);
  expect(await status()).toBe(401);
});

test('cookies of https are for this host alone', async () => {
  const { admin } = await accountsOfTest({ publicUrl: 'https://audit.clinic.example' });
  const ada = await admin();
  expect([...ada.cookies.keys()]).toEqual(['__Host-bemi.session_token']);
});

test('several processes may start at the same time', async () => {
  const { database } = await accountsOfTest();
  const sql = await database.connect();
  await sql.query('DROP SCHEMA bemi_accounts CASCADE');
  const clients = await Promise.all(Array.from({ length: 4 }, () => database.connect()));
  const applied = await Promise.all(clients.map((client) => migrateAccounts(client)));
  expect(applied.flat()).toEqual(['0001_accounts.sql']);
  await sql.query(`INSERT INTO bemi_accounts.migrations (number, name) VALUES (9999, 'x')`);
  await expect(migrateAccounts(sql)).rejects.toMatchObject({ reason: 'newer' });
});

test('a role that owns the schema of accounts is enough; one that may nothing is told so', async () => {
  const { database } = await accountsOfTest();
  const sql = await database.connect();
  const role = `${database.name}_accounts`;
  await sql.query(`DROP SCHEMA bemi_accounts CASCADE; CREATE ROLE ${role} NOLOGIN`);
  try {
    const client = await database.connect();
    await client.query(`SET ROLE ${role}`);
    await expect(migrateAccounts(client)).rejects.toMatchObject({ reason: 'not-allowed' });
    await sql.query(`CREATE SCHEMA bemi_accounts AUTHORIZATION ${role}`);
    expect(await migrateAccounts(client)).toEqual(['0001_accounts.sql']);
    await client.query('RESET ROLE');
  } finally {
    await sql.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});
