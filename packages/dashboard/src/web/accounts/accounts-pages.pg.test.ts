import { expect, test } from 'vitest';
import { goodPassword } from '../../../test/accounts-of-test.ts';
import { codeOf } from '../../../test/authenticator.ts';
import { pageFindings } from '../../../test/page-findings.ts';
import { serveAccounts } from '../../../test/served-accounts.ts';
import { layoutShift, openWatchedPage } from '../../../test/watched-page.ts';

test('from the first admin’s link to people, keys, a second factor and back in', async () => {
  const { accounts, url, browser } = await serveAccounts();
  const page = await openWatchedPage();
  const found: string[] = [];
  const button = (name: string) => page.getByRole('button', { name, exact: true });

  // Whoever comes too early is told where the link is.
  await page.goto(`${url}/people`);
  await page.getByText('Nobody has an account yet').waitFor();
  expect(page.url()).toBe(`${url}/sign-in?next=%2Fpeople`);
  expect(await layoutShift(page)).toBeLessThan(0.05);
  const link = await accounts.firstAdminLink();
  await page.goto(link!.url);
  await page.getByRole('heading', { name: 'Make the first admin' }).waitFor();
  await page.getByLabel('E-mail address').fill('ada@clinic.example');
  await page.getByLabel('Name').fill('Ada Byron');
  await page.getByLabel('Password', { exact: true }).fill('password1234');
  await button('Make the account').click();
  await page.getByRole('alert').getByText('tried first').waitFor();
  found.push(...(await pageFindings(page, 'join')));
  await page.getByLabel('Password', { exact: true }).fill(goodPassword);
  await button('Make the account').click();
  await page.getByText('Nothing is recorded yet').waitFor();
  expect(page.url()).toBe(`${url}/logs`);

  await page.goto(`${url}/people`);
  await button('Invite').click();
  await page.getByLabel('E-mail address').fill('grace@clinic.example');
  await page.getByLabel('Tables').fill('public.*\n*.Patient');
  await button('Make the link').click();
  await page.getByText('A link for grace@clinic.example').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  const invitation = await page.locator('pre').textContent();
  expect(invitation).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/join#[\w-]{43}$/);
  await page.getByText('grace@clinic.example as viewer for public.*, *.Patient').waitFor();
  found.push(...(await pageFindings(page, 'people')));
  const grace = browser();
  const token = invitation!.slice(invitation!.indexOf('#') + 1);
  await grace.send('POST', '/api/v1/auth/link/accept', { token, password: goodPassword, name: 'Grace' });
  await page.reload();
  await button('What to do with Grace').click();
  await page.getByRole('menuitem', { name: 'Change role and tables' }).click();
  await page.getByRole('switch', { name: 'Disabled: may not sign in' }).check();
  found.push(...(await pageFindings(page, 'person')));
  await button('Save').click();
  await page.getByText('disabled', { exact: true }).waitFor();
  expect((await grace.get('/api/v1/session')).status).toBe(401);

  await page.getByRole('link', { name: 'API keys' }).click();
  await page.getByText('There is no key yet').waitFor();
  await button('Make a key').click();
  await page.getByLabel('Name').fill('nightly export');
  await button('Make the key').click();
  await page.getByText('bemi_ak_').first().waitFor();
  const key = await page.locator('pre').textContent();
  const byKey = { authorization: `Bearer ${key}` };
  expect((await browser().send('GET', '/api/v1/session', undefined, byKey)).status).toBe(200);
  await page.getByText('nightly export').waitFor();
  found.push(...(await pageFindings(page, 'keys')));
  await button('Revoke nightly export').click();
  await button('Revoke nightly export for good').click();
  await page.getByText('revoked').waitFor();
  expect((await browser().send('GET', '/api/v1/session', undefined, byKey)).status).toBe(401);

  await page.goto(`${url}/account`);
  await page.getByLabel('Password, once more', { exact: true }).fill(goodPassword);
  await button('Set it up').click();
  const secret = (await page.locator('pre').textContent())!.replaceAll(' ', '');
  const code = () => codeOf(`otpauth://totp/Bemi?secret=${secret}`);
  found.push(...(await pageFindings(page, 'account')));
  await page.getByLabel('Code of the authenticator').fill(code());
  await button('Turn it on').click();
  await page.getByText('It is on').waitFor();

  await button('You, colours, keys').click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  found.push(...(await pageFindings(page, 'sign-in')));
  await page.goto(`${url}/keys`);
  await page.getByLabel('E-mail address').fill('ada@clinic.example');
  await page.getByLabel('Password', { exact: true }).fill(goodPassword);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Second factor' }).waitFor();
  found.push(...(await pageFindings(page, 'second-factor')));
  await page.getByLabel('Code').fill(code());
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'API keys' }).waitFor();
  expect(page.url()).toBe(`${url}/keys`);

  expect(found).toEqual([]);
  // What the browser says of answers that were to be refusals.
  expect(page.problems.filter((text) => !/status of (401|422)/.test(text))).toEqual([]);
}, 120_000);
