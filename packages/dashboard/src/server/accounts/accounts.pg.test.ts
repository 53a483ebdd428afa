import { expect, test } from 'vitest';
import { accountsOfTest, goodPassword } from '../../../test/accounts-of-test.ts';

test('the first admin comes by a link, once; then by password', async () => {
  const { accounts, admin, browser, accesses, database } = await accountsOfTest();
  const spare = await accounts.firstAdminLink();
  expect(spare?.url).toMatch(/^http:\/\/bemi\.test\/join#[\w-]{43}$/);
  const ada = await admin();
  expect(await (await ada.get('/api/v1/session')).json()).toMatchObject({
    name: 'Ada',
    role: 'admin',
    tables: null,
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
