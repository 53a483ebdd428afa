import { expect, test } from 'vitest';
import { accountsOfTest, goodPassword } from '../../../test/accounts-of-test.ts';
import { codeOf } from '../../../test/authenticator.ts';

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
