import { extendPartitions, indexChanges } from '@bemi-db/trail/partitions';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { fillLog } from '../../../../../bench/src/filled-log.ts';
import { axeFindings } from '../../../test/axe.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { takeShot } from '../../../test/take-shot.ts';
import { layoutShift, openWatchedPage, overflow } from '../../../test/watched-page.ts';

const shots = process.env['SHOTS'];
const hourMs = 3_600_000;
const looks = [
  { look: 'light', colorScheme: 'light', width: 1200, height: 1150 },
  { look: 'dark', colorScheme: 'dark', width: 1200, height: 1150 },
  { look: 'phone', colorScheme: 'light', width: 360, height: 900 },
] as const;

/** Two years of a clinic up to now, and one hour with far too much in it. */
async function fillClinic(trail: pg.Client): Promise<void> {
  const until = new Date(Math.floor(Date.now() / hourMs) * hourMs);
  const { log, nextSequence } = await fillLog(trail, {
    changes: shots === undefined ? 6_000 : 60_000,
    until,
  });
  await extendPartitions(trail, log, nextSequence);
  await trail.query(
    `BEGIN; SET LOCAL session_replication_role = replica;
     UPDATE bemi.transaction_log SET committed_at = date_trunc('hour', now()) - interval '29 hours' + interval '1 minute'
      WHERE log = ${log} AND transaction IN (SELECT transaction FROM bemi.transaction_log WHERE log = ${log} ORDER BY sequence LIMIT 250);
     COMMIT`,
  );
  while (!(await indexChanges(trail, log, 16)));
}

test('what happened at a glance; every number leads to as many changes', { timeout: 180_000 }, async () => {
  const { sql, url, log, recorded, trail, get } = await serveDashboard((client) =>
    client.query('CREATE TABLE note (id int PRIMARY KEY)'),
  );
  const page = await openWatchedPage({ viewport: { width: 1200, height: 900 } });
  const found: string[] = [];
  const check = async (where: string): Promise<void> => {
    for (const finding of await axeFindings(page)) found.push(`${where}: ${finding}`);
  };

  // Nothing yet, then one change.
  await page.goto(`${url}/overview`);
  await page.getByText('No changes in the last 7 days').waitFor();
  await check('a period without changes');
  await page.getByRole('link', { name: 'Look at all that is recorded' }).click();
  await page.getByText('No change is recorded yet').waitFor();
  await sql.query('INSERT INTO note VALUES (1)');
  await recorded();
  await page.goto(`${url}/overview?period=24h`);
  await page.getByText('1 change', { exact: true }).waitFor();
  await check('one change');
  const chart = page.getByRole('slider', { name: 'Changes by operation' });
  await chart.press('End');
  expect(await chart.getAttribute('aria-valuetext')).toMatch(/INSERT 1, in all 1$/);
  await chart.press('ArrowLeft');
  expect(await chart.getAttribute('aria-valuetext')).toMatch(/in all 0$/);
  await chart.press('End');
  await chart.press('Enter');
  await page.getByRole('main').getByText('direct SQL').first().waitFor();
  expect(new URL(page.url()).pathname).toBe('/logs');

  // Another log, of two years.
  await fillClinic(trail);
  const overview = `${url}/overview?log=clinic&period`;
  await page.goto(`${overview}=30d`);
  await page.getByRole('heading', { name: 'Changes over time' }).waitFor();
  await page.getByRole('list', { name: 'Unusual volume' }).getByText('in the hour from').first().waitFor();
  const links = await page.evaluate<{ href: string; shown: string }[]>(
    `[...document.querySelectorAll('main .overview-cards a')].map((a) => ({
       href: a.getAttribute('href'),
       shown: (a.closest('tr')?.cells[1] ?? a.closest('li').querySelector('strong')).innerText.replaceAll(',', '') }))`,
  );
  expect(links.length).toBeGreaterThan(20);
  for (const { href, shown } of links) {
    const search = new URLSearchParams(href.slice(href.indexOf('?')));
    const name = search.get('log');
    search.delete('log');
    search.set('limit', '500');
    let count = 0;
    for (let next: string | null = null; ; ) {
      if (next !== null) search.set('before', next);
      const answer = await get(`/api/v1/logs/${name}/entries?${search}`);
      const found = (await answer.json()) as {
        readonly entries: readonly object[];
        readonly next: string | null;
      };
      count += found.entries.length;
      next = found.next;
      if (next === null) break;
    }
    expect(String(count), href).toBe(shown);
  }

  for (const { look, colorScheme, width, height } of looks) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    for (const at of ['30d', '1y&by=table']) {
      await page.goto(`${overview}=${at}`);
      await page.getByRole('heading', { name: 'Unusual volume' }).waitFor();
      await page.locator('.chart rect').first().waitFor();
      const shift = await layoutShift(page);
      if (shift > 0.02) found.push(`${at} in ${look} moves by ${shift.toFixed(3)}`);
      if ((await overflow(page)) > 0) found.push(`${at} in ${look} is too wide`);
      await check(`${at} in ${look}`);
      if (shots && at === '30d') await takeShot(page, `overview-${look}`);
    }
  }
  await page.setViewportSize({ width: 1200, height: 900 });
  await page.getByText('Numbers').click();
  await page.getByRole('table', { name: 'Changes by table' }).waitFor();
  await check('numbers');
  await page.getByText('By operation').click();
  await page.getByRole('slider', { name: 'Changes by operation' }).waitFor();
  // By the pointer: a part of a bar is read, and leads to what it counts.
  await page.goto(`${overview}=30d`);
  const parts = page.locator('.chart rect');
  await parts.first().waitFor();
  await page.evaluate(
    `(() => {
      const parts = [...document.querySelectorAll('.chart svg rect')];
      const { x, y, width, height } = parts.sort((a, b) => b.getBBox().height - a.getBBox().height)[0].getBoundingClientRect();
      const at = { bubbles: true, clientX: x + width / 2, clientY: y + height / 2 };
      document.querySelector('.chart').dispatchEvent(new PointerEvent('pointermove', at));
    })()`,
  );
  const readout = (await page.locator('.chart-readout').innerText()).replaceAll(/\s+/g, ' ');
  const [, updates] = / UPDATE ([\d,]+) /.exec(readout) ?? [];
  expect(Number(updates?.replace(',', '')), readout).toBeGreaterThan(30);
  await page.locator('.chart-hit').click();
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  const led = new URL(page.url()).searchParams;
  expect(led.getAll('operation')).toEqual(['UPDATE']);
  expect(Date.parse(led.get('until')!) - Date.parse(led.get('since')!)).toBeLessThanOrEqual(25 * hourMs);

  // A browser whose zone has a name that the server does not know.
  await page.goto(`${url}/logs?log=clinic`);
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  await page.evaluate(
    `Intl.DateTimeFormat.prototype.resolvedOptions = () => ({ timeZone: 'US/Pacific-New', locale: 'en' })`,
  );
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Overview' }).click();
  await page.getByText('30 d', { exact: true }).click();
  await page.getByText('Days are those of UTC: the server does not know US/Pacific-New.').waitFor();

  await page.goto(`${url}/overview?log=nowhere`);
  await page.getByText('There is no log of this name').waitFor();
  expect(found).toEqual([]);
  expect(page.problems.filter((text) => !/status of 400/.test(text))).toEqual([]);
  expect(log).toBeDefined();
});
