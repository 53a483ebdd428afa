import { expect, test } from 'vitest';
import { axeFindings } from '../../../test/axe.ts';
import { coverageLost, reportDay } from '../../../test/reported-health.ts';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { layoutShift, openWatchedPage, overflow } from '../../../test/watched-page.ts';

const looks = [
  { name: 'light', colorScheme: 'light', width: 1200 },
  { name: 'dark', colorScheme: 'dark', width: 1200 },
  { name: 'phone', colorScheme: 'light', width: 360 },
] as const;
const mostLayoutShift = 0.02;

test('how recording is doing, what is in its way, and what to do', { timeout: 120_000 }, async () => {
  const { url, log, trail } = await serveDashboard((client) =>
    client.query('CREATE TABLE patient (id int PRIMARY KEY)'),
  );
  const page = await openWatchedPage();
  const main = page.getByRole('main');
  const found: string[] = [];
  const inspect = async (what: string, these: readonly (typeof looks)[number][]): Promise<void> => {
    const shots = process.env['SHOTS'];
    for (const { name, colorScheme, width } of these) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.reload();
      await main.getByRole('heading', { name: 'Alerts' }).waitFor();
      const said = `${what} in ${name}`;
      for (const finding of await axeFindings(page)) found.push(`${said}: ${finding}`);
      if ((await layoutShift(page)) > mostLayoutShift) found.push(`${said} moves by itself`);
      if ((await overflow(page)) > 0) found.push(`${said} is too wide`);
      if (shots) await page.screenshot({ path: `${shots}/health-${what}-${name}.png`, fullPage: true });
    }
    await page.setViewportSize({ width: 1200, height: 900 });
  };

  await page.goto(`${url}/health`);
  await main.getByText('No worker has said how it is doing').waitFor();
  await main.getByText('None has fired').waitFor();

  await reportDay(trail, log, [coverageLost]);
  // By itself.
  await main.getByText('Recording, and up to date').waitFor();
  await page.reload();
  const firing = page.getByRole('region', { name: 'Alerts that fire' });
  await firing.getByText('Something is no longer recorded').waitFor();
  await firing.getByText('staff.hushhush_salary').waitFor();
  await firing.getByRole('button', { name: 'Copy what to do' }).waitFor();
  await main.getByText('worker-2.clinic.example').waitFor();
  await main.getByText('over after 26 min').waitFor();
  await main.getByRole('slider', { name: 'WAL not recorded yet' }).waitFor();
  await inspect('day', looks);

  // Changes of the last hour, as numbers; the time is in the address.
  await main.getByText('1 hour', { exact: true }).click();
  await page.waitForURL(`${url}/health?range=1h`);
  await main.getByText('Numbers').first().click();
  const numbers = main.getByRole('table', { name: 'Changes recorded' });
  await numbers.waitFor();
  expect((await numbers.getByRole('row').allInnerTexts()).length).toBe(1 + 60);
  // The worker told every five minutes: of the minutes between nothing is known, not even that nothing was recorded.
  const chart = main.getByRole('slider', { name: 'Changes recorded' });
  const read: (string | null)[] = [];
  for (const key of ['Home', ...Array<string>(5).fill('ArrowRight')]) {
    await chart.press(key);
    read.push(await chart.getAttribute('aria-valuetext'));
  }
  expect(read.filter((text) => text?.endsWith(', not known')).length).toBeGreaterThan(2);
  expect(read.filter((text) => /, Changes [\d,]+$/.test(text ?? '')).length).toBeGreaterThan(0);

  // Both went away without a word.
  await trail.query(`UPDATE bemi.workers SET seen_at = seen_at - interval '20 minutes'`);
  await page.reload();
  await main.getByText('No worker has been seen since').waitFor();
  await main.getByText('recording, as it last said').waitFor();
  await inspect('silent', [looks[2]]);

  const problem =
    '{"code": "slot-missing", "message": "The slot is gone", "fix": "bemi gap accept --reason TEXT"}';
  await trail.query(
    `UPDATE bemi.workers SET state = 'refused', problem = $1 WHERE instance LIKE '%a1';
     DELETE FROM bemi.workers WHERE instance LIKE '%b2'`.replace('$1', `'${problem}'`),
  );
  await page.reload();
  await main.getByText('The worker refused to go on: The slot is gone').waitFor();
  await main.getByText('bemi gap accept --reason TEXT').waitFor();
  expect(found).toEqual([]);
  expect(page.problems).toEqual([]);
});

test('several sources: the one that is chosen, and how the others are', async () => {
  const { url, log, trail } = await serveDashboard((client) =>
    client.query('CREATE TABLE patient (id int PRIMARY KEY)'),
  );
  await reportDay(trail, 'zoo'); // refused at its first start: it has no log
  await trail.query(
    `UPDATE bemi.workers SET state = 'refused', problem = '{"code":"wal-level","message":"wal_level is replica","fix":"bemi doctor"}'`,
  );
  const page = await openWatchedPage();
  await page.goto(`${url}/logs`);
  await page.getByRole('heading', { name: 'Logs' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.getByRole('heading', { name: 'Health' }).waitFor();
  await page.getByRole('heading', { name: log, exact: true }).waitFor();
  const others = page.getByRole('region', { name: 'Other sources' });
  await others.getByText('The worker refused to go on: wal_level is replica').waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await others.getByRole('link', { name: 'zoo' }).click();
  await page.waitForURL(`${url}/health?log=zoo`);
  await page.getByRole('heading', { name: 'zoo', exact: true }).waitFor();
  await page.getByRole('main').getByText('Choose a longer time').waitFor({ state: 'detached' });
  expect(page.problems).toEqual([]);
});
