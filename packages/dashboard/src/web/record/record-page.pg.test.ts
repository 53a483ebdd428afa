import { expect, test } from 'vitest';
import { axeFindings } from '../../../test/axe.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { openWatchedPage } from '../../../test/watched-page.ts';

const tables = `
  CREATE TABLE "Patient" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, owed numeric, tags text[]);
  CREATE TABLE visit (patient_id int, n int, note text, PRIMARY KEY (patient_id, n));
  ALTER TABLE "Patient" REPLICA IDENTITY FULL; ALTER TABLE visit REPLICA IDENTITY FULL`;

function context(user: string, reason: string): string {
  return `SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"${user}","role":"NURSE","accessReason":"${reason}"}')`;
}

const ddl = JSON.stringify({
  ...{ v: 1, event: 'command', tag: 'ALTER TABLE', session_user: 'deploy' },
  statement: 'ALTER TABLE "Patient" ADD COLUMN mail text',
  objects: [{ kind: 'table', schema: 'public', name: 'Patient', identity: 'public."Patient"' }],
});

test('the life of a record, as it was at any moment', { timeout: 120_000 }, async () => {
  const { sql, url, recorded, log } = await serveDashboard((client) => client.query(tables));
  await sql.query(
    `${context('anna', 'admission')}; INSERT INTO "Patient" (name, owed, tags) VALUES ('Ada', 9007199254740993.10, '{a,"b c"}')`,
  );
  await sql.query(`${context('ben', 'marriage')}; UPDATE "Patient" SET name = 'Ada King'`);
  await sql.query(
    `BEGIN; ALTER TABLE "Patient" ADD COLUMN mail text; SELECT pg_logical_emit_message(true, '_bemi_ddl', '${ddl}'); COMMIT`,
  );
  await sql.query(`UPDATE "Patient" SET mail = 'ada@example.org', owed = 0`);
  await sql.query(`INSERT INTO visit VALUES (1, 1, 'came'), (1, 2, repeat('long ', 200))`);
  await recorded();
  const page = await openWatchedPage({ viewport: { width: 1200, height: 900 } });
  const life = page.getByRole('region', { name: 'Life' }).getByRole('listitem');
  const values = page.getByRole('region', { name: 'State' }).getByRole('row');
  const shoot = async (name: string) => {
    const shots = process.env['SHOTS'];
    if (shots) await page.screenshot({ path: `${shots}/record-${name}.png` });
  };

  // From the table and the key to the record.
  await page.goto(`${url}/record?log=${log}`);
  await page.getByLabel('id').fill('1');
  await shoot('finder');
  await page.getByRole('button', { name: 'Show its life' }).click();
  await page.waitForURL(`${url}/record?log=${log}&table=public.Patient&primaryKey=1`);
  await page.getByRole('heading', { name: 'Patient 1' }).waitFor();
  await life.first().waitFor();
  expect(await page.evaluate('document.title')).toBe('Patient 1 · Bemi');
  expect((await life.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([
    expect.stringMatching(
      /direct SQL.* updated it New columns: mail owed: 9007199254740993.10 → became 0 mail: NULL → became ada@example.org/,
    ),
    expect.stringMatching(/deploy altered table Patient ALTER TABLE "Patient" ADD COLUMN mail text/),
    expect.stringMatching(/ben \(NURSE\) updated it marriage name: Ada → became Ada King/),
    expect.stringMatching(/anna \(NURSE\) created it admission/),
  ]);
  expect(await values.allInnerTexts()).toEqual([
    'Column\tValue',
    'id\t1',
    'name\tAda King',
    'owed\t0',
    'tags\t["a","b c"]',
    'mail\tada@example.org',
  ]);
  await shoot('now');

  // Any moment, by the timeline; what differs from now is marked. The moment is in the address.
  const requests = page.requests.length;
  await life.last().getByRole('button', { name: 'Show' }).click();
  await page.getByRole('heading', { name: 'As it was' }).waitFor();
  const atFirst = ['id\t1\t1', 'name\tAda\tAda King', 'owed\t9007199254740993.10\t0'];
  expect(await values.allInnerTexts()).toEqual([
    'Column\tThen\tNow',
    ...atFirst,
    'tags\t["a","b c"]\t["a","b c"]',
    'mail\t—\tada@example.org',
  ]);
  expect(await page.getByRole('img', { name: 'differs' }).count()).toBe(3);
  expect(page.url()).toMatch(/&sequence=\d+$/);
  expect(page.requests.length).toBe(requests);
  await page.getByLabel('Only these').check();
  expect(await values.count()).toBe(4);
  await shoot('then');
  await page.reload();
  await page.getByText('3 of 5 columns differ from now').waitFor();

  // By the slider and the keys; compared with another moment.
  await page.getByRole('slider', { name: 'Moment' }).press('ArrowRight');
  await expect.poll(() => values.nth(2).innerText()).toBe('name\tAda King\tAda King');
  await life.last().getByRole('button', { name: 'Compare' }).click();
  await page.getByText('1 of 4 columns differ from the other moment').waitFor();
  expect(await values.nth(2).innerText()).toBe('name\tAda King\tAda');
  await page.getByRole('button', { name: 'Compare with now' }).click();
  await page.getByText('2 of 5 columns differ from now').waitFor();
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await page.getByRole('heading', { name: 'As it is now' }).waitFor();
  await page.goto(`${url}/record?table=Patient&primaryKey=1&at=2001-01-01T00:00:00Z`);
  await page.getByText('It was not there yet').waitFor();

  // Keys lead on, as guesses.
  await page.goto(`${url}/record?table=public.visit&primaryKey=["1","2"]`);
  await page.getByRole('heading', { name: 'visit (1, 2)' }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.getByRole('link', { name: 'Patient?' }).click();
  await page.getByRole('heading', { name: 'Patient 1' }).waitFor();
  await page.getByRole('link', { name: 'changes of visit with this patient_id' }).waitFor();

  // What is copied puts the row in again, just as it was.
  await page.evaluate(
    `navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }`,
  );
  await page.getByRole('button', { name: 'Copy as INSERT' }).click();
  await page.getByRole('status').getByText('Copied as INSERT').waitFor();
  const [before] = (await sql.query('TABLE "Patient"')).rows;
  await sql.query('DELETE FROM "Patient"');
  await sql.query(await page.evaluate<string>('window.copied'));
  expect((await sql.query('TABLE "Patient"')).rows).toEqual([before]);

  expect(page.problems).toEqual([]);
});

test('records that were deleted, truncated, erased, or never there', async () => {
  const { sql, url, recorded } = await serveDashboard((client) => client.query(tables));
  await sql.query(
    `INSERT INTO "Patient" (name) VALUES ('Ada'), ('Bob'), ('Cem'); DELETE FROM "Patient" WHERE id = 1`,
  );
  await sql.query(`TRUNCATE "Patient"; UPDATE visit SET n = 3; INSERT INTO visit VALUES (3, 1)`);
  await sql.query('UPDATE visit SET n = 2');
  await recorded();
  const page = await openWatchedPage();
  const at = (key: string, table = 'public.Patient') =>
    page.goto(`${url}/record?table=${table}&primaryKey=${key}`);
  await at('1');
  await page.getByText(/^Deleted .* These were its last values\.$/).waitFor();
  await at('2');
  await page.getByText('truncated its table').waitFor();
  await page.getByText(/^Deleted .* These were its last values\.$/).waitFor();
  await at('["3","2"]', 'public.visit');
  await page.getByRole('link', { name: 'Its life before, under another key' }).click();
  await page.getByRole('heading', { name: 'visit (3, 1)' }).waitFor();
  await at('99');
  await page.getByText('No change of this record is in the log').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await at('1', 'public.nothing');
  await page.getByText('There are no changes of a table public.nothing').waitFor();
  await page.getByLabel('Table').first().waitFor();
  expect(page.problems).toEqual([]);
});
