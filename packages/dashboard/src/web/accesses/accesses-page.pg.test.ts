import { createAccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { expect, onTestFinished, test } from 'vitest';
import { axeFindings } from '../../../test/axe.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { openWatchedPage } from '../../../test/watched-page.ts';

test('who looked at what: it waits, is recorded, and is found by person and record', async () => {
  const { sql, url, recorded, get, log, audit } = await serveDashboard((client) =>
    client.query('CREATE TABLE "Patient" (id int PRIMARY KEY, name text)'),
  );
  await sql.query(`INSERT INTO "Patient" VALUES (42, 'Ada')`);
  await recorded();
  await get(`/api/v1/logs/${log}/record?table=public.Patient&primaryKey=42`);
  const page = await openWatchedPage();
  await page.goto(`${url}/accesses`);
  await page.getByText(`ada@clinic.example viewed Patient 42 in ${log}: 1 entry`).waitFor();
  expect(await page.getByText('not recorded yet').count()).toBeGreaterThan(0);

  const stop = new AbortController();
  const ended = createAccessRecorder({ destination: audit.url }).run({ signal: stop.signal });
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  await expect
    .poll(
      async () => {
        await page.goto(`${url}/accesses?table=public.Patient&primaryKey=42`);
        await page.getByText('viewed Patient 42').first().waitFor();
        return await page.getByText('not recorded yet').count();
      },
      { timeout: 30_000 },
    )
    .toBe(0);
  expect(await page.locator('main li').count()).toBe(1);
  expect(await axeFindings(page)).toEqual([]);
  const ofRecord = page.getByRole('button', { name: 'public.Patient 42' });
  await ofRecord.click();
  await ofRecord.waitFor({ state: 'detached' });
  await page.getByLabel('Who').fill('nobody@clinic.example');
  await page.getByLabel('Who').press('Enter');
  await page.getByText('There is no access like this').waitFor();
  expect(new URL(page.url()).searchParams.get('who')).toBe('nobody@clinic.example');
  await page.goto(`${url}/accesses`);
  await page.getByText('viewed Patient 42').first().waitFor();
  // From the record's page, too.
  await page.goto(`${url}/record?table=public.Patient&primaryKey=42`);
  await page.getByRole('link', { name: 'Who looked at this record' }).click();
  await page.getByText('viewed Patient 42').first().waitFor();
  const shots = process.env['SHOTS'];
  if (shots) await page.screenshot({ path: `${shots}/accesses.png` });
});
