import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import type { Page } from '@bemi-db/test-kit/browser';
import { expect, test } from 'vitest';
import { axeFindings } from '../../test/axe.ts';
import { serveDashboard } from '../../test/served-dashboard.ts';
import { layoutShift, openWatchedPage, overflow } from '../../test/watched-page.ts';

const looks = [
  { name: 'light', colorScheme: 'light', width: 1200 },
  { name: 'dark', colorScheme: 'dark', width: 1200 },
  { name: 'phone', colorScheme: 'light', width: 360 },
] as const;

const mostGzippedBytes = 300 * 1024;
const mostLayoutShift = 0.02;

function serve() {
  return serveDashboard((client) =>
    client.query(
      `CREATE TABLE "Patient" (id int PRIMARY KEY, name text, born date);
       CREATE TABLE visit (id int PRIMARY KEY, patient_id int, note text);
       ALTER TABLE "Patient" REPLICA IDENTITY FULL; ALTER TABLE visit REPLICA IDENTITY FULL`,
    ),
  );
}

test('every page: for everybody, quiet, still, and from nowhere else', { timeout: 180_000 }, async () => {
  const { sql, url, log, recorded, get } = await serve();
  await sql.query(
    `SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"anna","role":"NURSE","accessReason":"admission","endpoint":"/patients"}');
     INSERT INTO "Patient" VALUES (1, 'Ada Byron', '1815-12-10'); UPDATE "Patient" SET name = 'Ada King'`,
  );
  await sql.query(`INSERT INTO visit VALUES (7, 1, 'by hand')`);
  await recorded();
  const first = (await (
    await get(`/api/v1/logs/${log}/entries?table=public.Patient&order=oldest-first&limit=1`)
  ).json()) as { entries: { sequence: string }[] };
  const record = '/record?table=public.Patient&primaryKey=1';
  const pages = [
    { at: '/logs', shows: 'anna' },
    { at: '/record', shows: 'Record' },
    { at: record, shows: 'Ada King' },
    { at: `${record}&sequence=${first.entries[0]!.sequence}`, shows: '1 of 3 columns differ' },
    { at: '/integrity', shows: 'Last checkpoint' },
    { at: '/accesses', shows: 'ada@clinic.example' },
    { at: '/sources', shows: 'Not recorded here' },
    { at: `/sources/${log}`, shows: 'What is recorded' },
    { at: '/docs', shows: 'Search a log' },
    { at: '/nowhere', shows: 'There is no such page' },
  ];

  const policy = (await get('/logs')).headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  const page = await openWatchedPage();
  const found: string[] = [];
  for (const { name, colorScheme, width } of looks) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    for (const { at, shows } of pages) {
      await page.goto(`${url}${at}`);
      await page.getByRole('main').getByText(shows).first().waitFor();
      const shift = await layoutShift(page);
      if (shift > mostLayoutShift) found.push(`${at} in ${name} moves by ${shift.toFixed(3)}`);
      const wider = await overflow(page);
      if (wider > 0) found.push(`${at} in ${name} is ${wider} pixels too wide`);
      for (const finding of await axeFindings(page)) found.push(`${at} in ${name}: ${finding}`);
      const shots = process.env['SHOTS'];
      const created = colorScheme === 'dark' ? 'rgb(140, 233, 154)' : 'rgb(43, 122, 58)';
      if ((await colorOf(page, '--bemi-created')) !== created) found.push(`${at} in ${name}: another colour`);
      if (shots) await page.screenshot({ path: `${shots}/${at.replaceAll(/\W+/g, '-')}-${name}.png` });
    }
  }
  expect(found).toEqual([]);
  expect(page.problems).toEqual([]);
  expect(page.requests.filter((address) => !address.startsWith(`${url}/`))).toEqual([]);
});

function colorOf(page: Page, variable: string): Promise<string> {
  return page.evaluate<string>(`(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'var(${variable})';
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  })()`);
}

test('the first load is small', async () => {
  const { url } = await serve();
  const page = await openWatchedPage();
  await page.goto(`${url}/logs`);
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  const files = [...new Set(page.requests.map((address) => new URL(address).pathname))].filter((path) =>
    path.startsWith('/assets/'),
  );
  const sizes = await Promise.all(
    files.map(
      async (path) => gzipSync(await readFile(new URL(`../../dist/web${path}`, import.meta.url))).length,
    ),
  );
  expect(files.filter((path) => path.endsWith('.js')).length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(mostGzippedBytes);
});

test('by the keyboard alone', async () => {
  const { sql, url, recorded } = await serve();
  await sql.query(`INSERT INTO "Patient" VALUES (1, 'Ada Byron', '1815-12-10')`);
  await recorded();
  const page = await openWatchedPage();
  const focused = () => page.evaluate<string>('document.activeElement.textContent');
  await page.goto(`${url}/logs`);
  await page.getByText('created').first().waitFor();

  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');

  // An entry is reached and opened, and from it its record.
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('table', { name: 'Columns' }).getByText('Ada Byron').waitFor();

  await page.keyboard.press('?');
  await page.getByRole('dialog').getByText('Go to Record').waitFor();
  expect(await page.getByText(/^(Go to )?(People|API keys)$/).count()).toBe(0);
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  expect(page.url()).toContain('/logs');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await page.getByRole('heading', { name: 'Record' }).waitFor();
  await expect.poll(focused).toBe('Record');
  expect(await page.evaluate('document.title')).toBe('Record · Bemi');

  // On a phone the pages are behind a button; the focus comes back to it.
  await page.setViewportSize({ width: 360, height: 700 });
  await page.getByRole('button', { name: 'Pages' }).press('Enter');
  await page.getByRole('dialog').getByRole('link', { name: 'Logs' }).press('Enter');
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  await expect.poll(focused).toBe('Logs');

  await page.getByRole('button', { name: 'You, colours, keys' }).press('Enter');
  // This server keeps no accounts, as the demo doesn't: no page of them is offered.
  expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Keys']);
  await page.getByRole('menuitemradio', { name: 'Dark' }).press('Enter');
  await expect.poll(() => page.evaluate('document.documentElement.dataset.mantineColorScheme')).toBe('dark');
  await page.reload();
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  expect(await page.evaluate('document.documentElement.dataset.mantineColorScheme')).toBe('dark');
  expect(page.problems).toEqual([]);
});

test('the log goes along, and one that is signed out is led to the sign-in', async () => {
  const { url, log, become } = await serve();
  const page = await openWatchedPage();
  await page.goto(`${url}/logs?log=${log}`);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Record' }).click();
  await page.waitForURL(`${url}/record?log=${log}`);
  await page.goto(`${url}/logs?log=nowhere`);
  await page.getByRole('alert').getByText('There is no log of this name').waitFor();
  become(undefined);
  await page.goto(`${url}/logs?log=${log}`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(new URL(page.url()).searchParams.get('next')).toBe(`/logs?log=${log}`);
});
