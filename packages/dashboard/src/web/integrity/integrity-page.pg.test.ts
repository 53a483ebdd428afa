import { expect, test } from 'vitest';
import { serveDashboard } from '../../../test/served-dashboard.ts';
import { openWatchedPage } from '../../../test/watched-page.ts';

test('what was signed last, and a proof that the browser itself checks', async () => {
  const { sql, url, recorded, trail } = await serveDashboard((client) =>
    client.query('CREATE TABLE "Patient" (id int PRIMARY KEY, name text)'),
  );
  await sql.query(
    `SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"anna"}'); INSERT INTO "Patient" VALUES (1, 'Ada')`,
  );
  await recorded();
  const page = await openWatchedPage();
  await page.goto(`${url}/integrity`);
  await page.getByRole('heading', { name: 'Last checkpoint' }).waitFor();
  const { rows } = await trail.query<{ sequence: string }>('SELECT sequence FROM bemi.change_log');
  await page.getByLabel('Sequence').fill(rows[0]!.sequence);
  await page.getByRole('button', { name: 'Prove it' }).click();
  await page.getByText(`Proven: entry ${rows[0]!.sequence}, INSERT on public.Patient`).waitFor();
  const shots = process.env['SHOTS'];
  if (shots) await page.screenshot({ path: `${shots}/integrity.png`, fullPage: true });

  // Of what was altered there is no proof.
  await trail.query(
    `SET session_replication_role = replica; UPDATE bemi.change_log SET after = '{"id":1,"name":"Eve"}'`,
  );
  await page.getByRole('button', { name: 'Prove it' }).click();
  await page.getByText('are not those that were signed').waitFor();
  expect(await page.getByText('Proven:').count()).toBe(0);
});
