import { createServer } from 'node:net';
import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, onTestFinished, test } from 'vitest';
import { pageFindings } from '../../../dashboard/test/page-findings.ts';
import { layoutShift, openWatchedPage } from '../../../dashboard/test/watched-page.ts';
import { firstAdmin } from '../../test/first-admin.ts';
import { projectFolder, startBemi } from '../../test/run-bemi.ts';

const password = 'swordfish-4711';

test('a source is checked, added, recorded, changed and removed in a browser', {
  timeout: 180_000,
}, async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const sql = await source.connect();
  // Names of the whole server.
  const suffix = source.name.slice(-4);
  const role = `bemi_replication_${suffix}`;
  await sql.query(
    `CREATE TABLE "Patient" (id int PRIMARY KEY, name text); CREATE TABLE visit (note text);
     CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${password}'`,
  );
  const environment = { BEMI_DESTINATION_URL: audit.url, BEMI_PORT: '0' };
  const bemi = startBemi(['start'], environment, projectFolder());
  const { ask, origin } = await firstAdmin(bemi);
  const page = await openWatchedPage({ viewport: { width: 1200, height: 900 } });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const found: string[] = [];
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel('E-mail address').fill('ada@clinic.example');
  await page.getByLabel('Password', { exact: true }).fill('violet harbour mends 7 kettles');
  await page.keyboard.press('Enter');
  await page.getByRole('main').getByRole('link', { name: 'data sources' }).click();
  await page.getByText('Nothing is recorded yet').waitFor();
  expect(await layoutShift(page)).toBeLessThan(0.05);

  await button('Add PostgreSQL').click();
  await page.getByRole('heading', { name: 'Add PostgreSQL' }).waitFor();
  expect(await page.getByLabel('Publication').inputValue()).toBe('bemi_publication');
  const field = page.getByLabel('Connection string', { exact: true });
  expect(await field.getAttribute('type')).toBe('password');
  const slot = `bemi_slot_${suffix}`;
  await page.getByLabel('Replication slot').fill(slot);
  await page.getByLabel('Name').fill('clinic');

  // What can't be reached is not added unless somebody says so; a wrong password is said, and never shown.
  await field.fill('postgres://u:swordfish-4711@127.0.0.1:1/app');
  await button('Add the source').click();
  await button('Add it anyway').waitFor();
  // One that never answers is waited for no longer once another is written, whose check need not wait for it.
  await field.fill(`postgres://u:swordfish-4711@127.0.0.1:${await silentPort()}/app`);
  await button('Check it').click();
  await field.fill(source.urlAs(role, 'wrong'));
  await button('Check it').click();
  await page.getByText('One thing keeps it from being recorded.').waitFor();
  await page
    .getByText(/refused role/)
    .first()
    .waitFor();
  await field.fill(source.urlAs(role, password));
  await button('Check it').click();
  await page.getByText(`The replication slot ${slot} will be made by the worker`).waitFor();
  await page.getByRole('heading', { name: 'What setup would do' }).waitFor();
  found.push(...(await pageFindings(page, 'source-checks', false)));
  await button('Add the source').click();
  await page.getByText('Recording', { exact: true }).waitFor();
  expect(page.url()).toBe(`${origin}/sources/clinic`);

  await sql.query(`INSERT INTO "Patient" VALUES (1, 'Ada')`);
  await page.goto(`${origin}/logs`);
  await page.getByRole('main').getByText('Patient').first().waitFor();

  // Its page, with its tables.
  await page.goto(`${origin}/sources`);
  await page.getByText('Recording', { exact: true }).waitFor();
  found.push(...(await pageFindings(page, 'sources')));
  await page.getByRole('link', { name: 'clinic', exact: true }).click();
  // A table is turned off, with a reason, and the log says so. Somebody else set a rule meanwhile: it stays.
  await button('Turn off Patient').click();
  await page.getByLabel('Reason').fill('No records');
  found.push(...(await pageFindings(page, 'source-rule', false)));
  const others = { include: [], exclude: [], ignore: ['*.updated_at'], redact: {} };
  await ask('/logs/clinic/rules', 'PUT', { rules: others, reason: 'Noise', basedOn: null });
  await button('Set the rule').click();
  await page.getByRole('dialog').getByText('have changed meanwhile').waitFor();
  await button('Set the rule').click();
  await page.getByText('*.updated_at', { exact: true }).waitFor();
  await page.getByText('public.Patient', { exact: true }).waitFor();
  await page.getByText(/by ada@clinic\.example: No records/).waitFor();
  expect(await button('Turn off Patient').count()).toBe(0);
  await button('Turn on Patient').click();
  await page.getByLabel('Reason').fill('They are');
  await button('Remove the rule').click();
  await button('Turn off Patient').waitFor();

  await button('Check it').click();
  await page.getByText('2 of 2 are sent by bemi_publication').waitFor();
  found.push(...(await pageFindings(page, 'source', false)));
  // The publication is for all tables: what to do instead is said.
  await button('SQL for visit').click();
  await page.getByRole('dialog').getByText('bemi rules exclude').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await button('Change').click();
  await page.getByLabel('Buffer size').fill('50');
  found.push(...(await pageFindings(page, 'source-change', false)));
  await button('Save').click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByText('50 changes').waitFor();

  // Nothing of the page has the password, after all that.
  expect(await page.evaluate<string>('document.documentElement.outerHTML')).not.toContain(password);

  await button('Remove').click();
  await page.getByText(`pg_drop_replication_slot('${slot}')`).waitFor();
  found.push(...(await pageFindings(page, 'source-remove', false)));
  await button('Remove it').click();
  // Its log stays, and says so.
  await page.getByText('Not recorded here').waitFor();
  await page.goto(`${origin}/sources/nowhere`);
  await page.getByText('There is no such source').waitFor();
  expect(found).toEqual([]);
  expect(page.problems.filter((text) => !/status of (401|404|409|422)/.test(text))).toEqual([]);
  bemi.child.kill('SIGTERM');
  const { code, stdout, stderr } = await bemi.finished;
  expect(code).toBe(0);
  expect(`${stdout}${stderr}`).not.toContain(password);
  await sql.query(`SELECT pg_drop_replication_slot('${slot}'); DROP OWNED BY ${role}; DROP ROLE ${role}`);
});

/** Of a server that takes connections and says nothing. */
async function silentPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
