import { expect, test } from 'vitest';
import { axeFindings } from '../../../test/axe.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { openWatchedPage, overflow } from '../../../test/watched-page.ts';

test('the reference names every route, and its examples are answered', { timeout: 120_000 }, async () => {
  const { sql, url, log, recorded, get } = await serveDashboard((client) =>
    client.query('CREATE TABLE visit (id int PRIMARY KEY)'),
  );
  await sql.query('INSERT INTO visit VALUES (1)');
  await recorded();
  const document = (await (await get('/api/v1/openapi.json')).json()) as {
    paths: Record<string, Record<string, object>>;
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const page = await openWatchedPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(`${url}/docs`);
  await page.getByRole('heading', { name: 'How to ask' }).waitFor();
  await page.getByText('Search a log').waitFor();
  const listed = await page.evaluate<string[]>(
    `[...document.querySelectorAll('details:has(.route-path) > summary')].map((summary) =>
       summary.querySelector('.mantine-Badge-root').textContent + ' ' + summary.querySelector('.route-path').textContent)`,
  );
  expect(listed.toSorted()).toEqual(routes.toSorted());

  await page.getByText('Search a log').click();
  const search = page.locator('#get--api-v1-logs-log-entries');
  await search.getByText('Asks for the permission changes:read.').waitFor();
  expect(await search.locator('pre').textContent()).toBe(
    `curl '${url}/api/v1/logs/${log}/entries' \\\n  -H "Authorization: Bearer $KEY"`,
  );
  const address = await search.getByRole('link', { name: 'Ask it now, as you' }).getAttribute('href');
  expect(await (await get(address!)).json()).toMatchObject({ entries: [{ table: 'visit' }] });
  await search.getByRole('link', { name: 'EntryPage' }).click();
  await page.locator('#schema-EntryPage').getByText('lookedBackTo').waitFor();

  await page.getByLabel('Search the routes').fill('STREAM');
  await page.getByText('/api/v1/logs/{log}/stream').click();
  await page.getByText(`new EventSource('/api/v1/logs/${log}/stream')`).waitFor();

  // All of it at once, where there is the least room.
  await page.getByLabel('Search the routes').fill('');
  await page.evaluate(`for (const each of document.querySelectorAll('details')) each.open = true`);
  await expect.poll(() => page.locator('details .folded-content').count()).toBeGreaterThan(routes.length);
  await page.setViewportSize({ width: 360, height: 900 });
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await axeFindings(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  expect(page.problems).toEqual([]);
});
