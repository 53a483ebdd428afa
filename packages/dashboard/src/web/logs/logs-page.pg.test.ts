import { readFile } from 'node:fs/promises';
import type { Page } from '@bemi-db/test-kit/browser';
import { expect, test } from 'vitest';
import { axeFindings } from '../../../test/axe.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { openWatchedPage, overflow } from '../../../test/watched-page.ts';

const shots = process.env['SHOTS'];
const shoot = async (page: Page, name: string): Promise<void> => {
  if (shots) await page.screenshot({ path: `${shots}/logs-${name}.png` });
};

async function served() {
  const dashboard = await serveDashboard((client) =>
    client.query(
      `CREATE TABLE "Patient" (id bigint PRIMARY KEY, name text, status text, notes text, tags text[], settings jsonb, balance numeric);
       CREATE TABLE visit (id int PRIMARY KEY, patient_id bigint, note text);
       ALTER TABLE "Patient" REPLICA IDENTITY FULL`,
    ),
  );
  const { sql } = dashboard;
  const saying = async (context: object, ...statements: readonly string[]): Promise<void> => {
    await sql.query('BEGIN');
    await sql.query(`SELECT pg_logical_emit_message(true, '_bemi', $1)`, [JSON.stringify(context)]);
    for (const statement of statements) await sql.query(statement);
    await sql.query('COMMIT');
  };
  return { ...dashboard, saying };
}

const anna = {
  ...{ userId: 'anna', role: 'PHYSICIAN', endpoint: '/patients/42', accessReason: 'admission' },
  ...{ requestId: 'req-1', ipAddress: '10.0.0.7' },
};
const bob = { userId: 'bob', endpoint: '/visits', accessReason: 'rounds', requestId: 'req-2' };

/** The sentences on the page, in its order. */
async function lines(page: Page): Promise<string[]> {
  const texts = await page.locator('.entry-sentence').allInnerTexts();
  return texts.map((text) => text.replaceAll(/\s+/g, ' ').trim());
}

/** The machine may be busy. */
function polled<T>(look: () => Promise<T>) {
  return expect.poll(look, { timeout: 20_000 });
}

/** What a page puts on the clipboard from now on. */
async function watchClipboard(page: Page): Promise<() => Promise<string>> {
  await page.evaluate(
    `Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.copied = text; } } })`,
  );
  return () => page.evaluate<string>('window.copied');
}

test('who changed what: found, opened, filtered, grouped, copied, exported, live', async () => {
  const { sql, url, recorded, saying, become } = await served();
  await saying(
    anna,
    `INSERT INTO "Patient" VALUES (42, 'Ada', 'active', 'Came in on Monday with a cold.', '{a,b}', '{"theme":"dark"}', 9007199254740993.10)`,
    `INSERT INTO visit VALUES (7, 42, 'first')`,
  );
  await saying(
    anna,
    `UPDATE "Patient" SET status = 'closed', notes = 'Came in on Tuesday with a cold.', balance = 9007199254740995.10`,
  );
  await saying(bob, `UPDATE visit SET note = 'second'`, `DELETE FROM visit`);
  await sql.query(`UPDATE "Patient" SET name = 'Ada King'`);
  await recorded();

  const page = await openWatchedPage();
  await page.goto(`${url}/`);
  await page.getByText('anna').first().waitFor();
  const all = [
    'direct SQL (without context) updated Patient 42 — name: Ada → Ada King',
    'bob deleted visit 7 · rounds · /visits only its key is known: the table has no REPLICA IDENTITY FULL',
    'bob updated visit 7 · rounds · /visits what it was before is not known: the table has no REPLICA IDENTITY FULL',
    'anna (PHYSICIAN) updated Patient 42 — status, notes, balance · admission · /patients/42',
    'anna (PHYSICIAN) created visit 7 · admission · /patients/42',
    'anna (PHYSICIAN) created Patient 42 · admission · /patients/42',
  ];
  expect(await lines(page)).toEqual(all);

  // Opened: what changed, word by word, with every digit; what didn't is folded.
  const details = page.getByRole('button', { name: /Details of entry/ });
  await details.nth(3).click();
  const columns = page.getByRole('table', { name: 'Columns' });
  expect((await columns.locator('tbody tr').allInnerTexts()).map((row) => row.split(/\s*\t\s*/))).toEqual([
    ['status', 'active', 'closed'],
    ['notes', 'Came in on Monday with a cold.', 'Came in on Tuesday with a cold.'],
    ['balance', '9007199254740993.10', '9007199254740995.10'],
  ]);
  expect(await columns.locator('del').allInnerTexts()).toEqual(['Monday']);
  expect(await columns.locator('ins').allInnerTexts()).toEqual(['Tuesday']);
  await page.getByRole('button', { name: 'Show 4 unchanged columns' }).click();
  await columns.getByText('{"theme": "dark"}').waitFor();
  await page.getByText(/This change alone of transaction/).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await axeFindings(page)).toEqual([]);
    await shoot(page, `open-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });

  // Copied: made again and undone by statements that PostgreSQL takes.
  const copied = await watchClipboard(page);
  await page.getByRole('button', { name: 'SQL that undoes it' }).click();
  await page.getByText('Copied SQL that undoes it').waitFor();
  expect(await copied()).toBe(
    `UPDATE "public"."Patient" SET "status" = 'active', "notes" = 'Came in on Monday with a cold.', "balance" = 9007199254740993.10 WHERE "id" = 42;`,
  );
  await page.keyboard.press('Escape');

  // Filtered by what a row says; the address is the filter, and the way back is one.
  await page.getByRole('link', { name: 'Only requestId = req-1' }).click();
  await polled(() => lines(page)).toEqual(all.slice(3));
  expect(page.url()).toBe(`${url}/logs?context=requestId%3Dreq-1`);
  await page.getByRole('button', { name: 'Tables' }).click();
  await page.getByLabel('visit').click();
  await polled(() => lines(page)).toEqual([all[4]]);
  await page.keyboard.press('Escape');
  await page.getByRole('list', { name: 'Active filters' }).getByText('public.visit').waitFor();
  await page.getByRole('button', { name: 'Remove the filter Context requestId=req-1' }).click();
  await polled(() => lines(page)).toEqual([all[1], all[2], all[4]]);
  await page.goBack();
  await polled(() => lines(page)).toEqual([all[4]]);
  await page.getByRole('button', { name: 'Clear all' }).click();
  await polled(() => lines(page)).toEqual(all);

  // A link that somebody sent, with values and a time back from now.
  await page.goto(`${url}/logs?since=24h&valueBefore=status~act&changed=notes`);
  await polled(() => lines(page)).toEqual([all[3]]);
  await page.getByRole('list', { name: 'Active filters' }).getByText('last 24 hours').waitFor();
  await page.goto(`${url}/logs?text=nobody-has-this`);
  await page.getByText('Nothing matches these filters').waitFor();

  // Keys: search, move, open, select.
  await page.goto(`${url}/logs`);
  await page.getByText('anna').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('rounds');
  await polled(() => lines(page)).toEqual([all[1], all[2]]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByText('second').waitFor();
  await page.keyboard.press('x');
  await page.keyboard.press('k');
  await page.keyboard.press('x');
  const selection = page.getByRole('region', { name: 'Selected entries' });
  await selection.getByText('2 selected').waitFor();
  const clipboard = await watchClipboard(page);
  await selection.getByRole('button', { name: 'CSV' }).click();
  await selection.getByText('Copied CSV').waitFor();
  expect((await clipboard()).split('\r\n').map((line) => line.split(',').slice(2, 7))).toEqual([
    ['operation', 'schema', 'table', 'primary_key', 'who'],
    ['UPDATE', 'public', 'visit', '7', 'bob'],
    ['DELETE', 'public', 'visit', '7', 'bob'],
  ]);
  await shoot(page, 'selection');

  // Taken away as a file, by those who may.
  await page.keyboard.press('e');
  await page.getByRole('dialog').getByLabel('JSON lines').check();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('dialog').getByRole('button', { name: 'Export' }).click(),
  ]);
  await shoot(page, 'export');
  expect(await page.getByRole('dialog').innerText()).toMatch(/Saved bemi-.*: 2 entries/);
  const exported = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
  expect(exported.map((line) => (JSON.parse(line) as { operation: string }).operation)).toEqual([
    'DELETE',
    'UPDATE',
  ]);
  become({ kind: 'person', id: 'u_v', name: 'Vera', email: undefined, role: 'viewer', tables: undefined });
  await page.goto(`${url}/logs?group=request`);
  await page.getByText('2 Patient updated').waitFor({ state: 'detached' });

  // Grouped, with counts.
  await polled(() => page.locator('.group-row').count()).toBe(3);
  expect(
    (await page.locator('.group-row').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ')),
  ).toEqual([
    expect.stringMatching(/without a request — 1 Patient updated 1 entry$/),
    expect.stringMatching(/\/visits \(request req-2\) — 1 visit deleted, 1 visit updated 2 entries$/),
    expect.stringMatching(
      /\/patients\/42 \(request req-1\) — 1 Patient updated, 1 visit created, 1 Patient created 3 entries$/,
    ),
  ]);
  expect(await page.getByRole('button', { name: 'Export' }).count()).toBe(0);
  await page.locator('.group-row').nth(1).click();
  await polled(() => page.locator('.entry-row').count()).toBe(2);
  await shoot(page, 'groups');
  expect(await axeFindings(page)).toEqual([]);

  // On a phone.
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${url}/logs?operation=UPDATE&table=public.Patient`);
  await details.last().click();
  await columns.waitFor();
  expect(await overflow(page)).toBe(0);
  expect(await axeFindings(page)).toEqual([]);
  await shoot(page, 'phone');
  expect(page.problems).toEqual([]);
}, 120_000);

test('what is recorded comes by itself, moves nothing that is read, and goes on after a lost connection', async () => {
  const { sql, url, recorded, saying, disconnect } = await served();
  await sql.query(`INSERT INTO visit SELECT i, 1, 'visit ' || i FROM generate_series(1, 400) i`);
  await recorded();
  const page = await openWatchedPage();
  await page.goto(`${url}/logs`);
  await page.getByRole('button', { name: 'Live: pause' }).waitFor();
  await saying(anna, `INSERT INTO "Patient" (id, name) VALUES (42, 'Ada')`);
  await page.getByText('created Patient 42').waitFor();
  expect((await lines(page))[0]).toContain('anna (PHYSICIAN) created Patient 42');

  // Scrolled down, all pages come, none of them is there twice, and what is new waits.
  for (let i = 0; i < 8; i++)
    await page
      .evaluate('window.scrollTo(0, document.body.scrollHeight)')
      .then(() => new Promise((resolve) => setTimeout(resolve, 150)));
  await page.getByText('401 entries. There is nothing older.').waitFor();
  await page.evaluate('window.scrollTo(0, 3000)');
  const seen = () =>
    page.evaluate<string>(`(() => {
    const row = [...document.querySelectorAll('.entry-row')].find((row) => row.getBoundingClientRect().top > 100);
    return row.querySelector('.entry-toggle').dataset.entry + ' at ' + Math.round(row.getBoundingClientRect().top);
  })()`);
  let before = '';
  await polled(async () => {
    const last = before;
    before = await seen();
    return before === last;
  }).toBe(true);
  await saying(bob, `UPDATE "Patient" SET name = 'Ada King'`, `UPDATE visit SET note = 'x' WHERE id <= 2`);
  await page.getByRole('button', { name: '3 new' }).waitFor();
  expect(await seen()).toBe(before);
  await shoot(page, 'arrived');
  await page.getByRole('button', { name: '3 new' }).click();
  await polled(async () => (await lines(page))[2]).toContain('bob updated Patient 42');

  // Paused, nothing comes; after that, nothing is left out.
  await page.keyboard.press('p');
  await page.getByRole('button', { name: 'Paused: go on' }).waitFor();
  await sql.query(`DELETE FROM visit WHERE id <= 5`);
  await recorded();
  expect((await lines(page))[0]).toContain('bob updated visit 2');
  await page.keyboard.press('p');
  await expect
    .poll(async () => (await lines(page)).filter((line) => line.includes('deleted visit')).length)
    .toBe(5);
  expect((await lines(page))[5]).toContain('bob updated visit 2');

  // A lost connection is said, and comes again by itself: what was recorded meanwhile is there, once.
  const state = page.evaluate<string>(`new Promise((resolve) => {
    const look = () => document.body.innerText.includes('Connection lost') ? resolve('lost') : setTimeout(look, 10);
    look();
  })`);
  disconnect();
  await sql.query(`DELETE FROM visit WHERE id = 6`);
  expect(await state).toBe('lost');
  await polled(async () => (await lines(page))[0]).toContain('deleted visit 6');
  await page.getByRole('button', { name: 'Live: pause' }).waitFor();

  // DDL, in the words of the source's message.
  await saying(
    { job: 'release 7' },
    `SELECT pg_logical_emit_message(true, '_bemi_ddl', '{"version":1,"event":"command","tag":"ALTER TABLE","session_user":"deploy",
       "statement":"ALTER TABLE visit\\n  ADD COLUMN room text","objects":[{"kind":"table","schema":"public","name":"visit"}]}')`,
  );
  await expect
    .poll(async () => (await lines(page))[0], { timeout: 10_000 })
    .toBe('release 7 altered table visit');
  await page
    .getByRole('button', { name: /Details of entry/ })
    .first()
    .click();
  await page.getByText('ADD COLUMN room text').waitFor();
  const itsTransaction = page.getByRole('link', { name: /^All entries of transaction \d+$/ });
  expect(new URL((await itsTransaction.getAttribute('href'))!, url).searchParams.get('transaction')).toMatch(
    /^\d+$/,
  );
  expect(await axeFindings(page)).toEqual([]);
  await shoot(page, 'ddl');
  expect(page.problems.filter((problem) => !problem.includes('net::ERR'))).toEqual([]);
}, 120_000);
