import { openPage } from '@bemi-db/test-kit/browser';
import { expect, test } from 'vitest';
import { axeFindings } from '../../../test/axe.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';

test('the logs, as people see them', async () => {
  const { sql, url, recorded } = await serveDashboard((client) =>
    client.query(
      'CREATE TABLE "Patient" (id int PRIMARY KEY, name text); ALTER TABLE "Patient" REPLICA IDENTITY FULL',
    ),
  );
  await sql.query(
    `SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"anna","accessReason":"admission"}');
     INSERT INTO "Patient" VALUES (1, 'Ada')`,
  );
  await recorded();
  const page = await openPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`${url}/`);
  await page.getByText('anna').first().waitFor();
  expect(page.url()).toBe(`${url}/logs`);
  expect(await page.locator('main li').allInnerTexts()).toEqual([
    expect.stringMatching(/anna created Patient 1 admission$/),
  ]);
  expect(await axeFindings(page)).toEqual([]);
  expect(problems).toEqual([]);
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/logs.png` });
});
