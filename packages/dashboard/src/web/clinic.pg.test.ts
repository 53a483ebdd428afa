import { readFile } from 'node:fs/promises';
import { seededRandom } from '@bemi-db/test-kit/random-workload/seeded-random';
import { createAccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { expect, onTestFinished, test } from 'vitest';
import { startClinic } from '../../../../examples/clinic/src/server.ts';
import { clinicApi } from '../../../../examples/clinic/src/traffic/clinic-api.ts';
import { NURSE, PHYSICIANS, RECEPTIONIST } from '../../../../examples/clinic/src/traffic/staff.ts';
import { playTraffic } from '../../../../examples/clinic/src/traffic.ts';
import { reportDay } from '../../test/reported-health.ts';
import { serveDashboard } from '../../test/served-dashboard.ts';
import { takeShot } from '../../test/take-shot.ts';
import { openWatchedPage } from '../../test/watched-page.ts';

/** Where pictures of the pages go; `npm run shots` makes those of the documentation. */
const shots = process.env['SHOTS'];
/** Where nobody looks at them, fewer. */
const fewestChanges = shots === undefined ? 12 : 90;
const init = new URL('../../../../examples/clinic/prisma/migrations/0001_init.sql', import.meta.url);

const looks = [
  { look: 'light', colorScheme: 'light', width: 1200, height: 800 },
  { look: 'dark', colorScheme: 'dark', width: 1200, height: 800 },
  { look: 'phone', colorScheme: 'light', width: 390, height: 844 },
] as const;

interface PageToShow {
  readonly name: string;
  readonly at: string;
  /** A text that is there when the page is. */
  readonly shows: string;
  /** A button that is pressed before the picture. */
  readonly opens?: RegExp;
}

test('a day at the clinic, on every page', { timeout: 180_000 }, async () => {
  const { sql, source, audit, url, trail, recorded } = await serveDashboard(async (client) => {
    await client.query(await readFile(init, 'utf8'));
    for (const table of ['User', 'Patient', 'Prescription'])
      await client.query(`ALTER TABLE "${table}" REPLICA IDENTITY FULL`);
  }, 'clinic');
  const ending = new AbortController();
  const accesses = createAccessRecorder({ destination: audit.url }).run({ signal: ending.signal });
  onTestFinished(async () => {
    ending.abort();
    await accesses;
  });
  const clinic = await startClinic({ databaseUrl: source.url });
  onTestFinished(() => clinic.close());
  const stop = new AbortController();
  const random = seededRandom(7);
  const played = playTraffic(clinic.url, {
    signal: stop.signal,
    intervalMs: shots === undefined ? 5 : 120,
    random: () => random.below(2 ** 30) / 2 ** 30,
  });
  onTestFinished(async () => {
    stop.abort();
    await played.catch(() => undefined);
  });
  await expect
    .poll(async () => (await trail.query('SELECT FROM bemi.change_log')).rowCount, { timeout: 90_000 })
    .toBeGreaterThan(fewestChanges);

  // One patient, whose life the record's page tells.
  const api = clinicApi(clinic.url, stop.signal);
  const as = (staff: typeof NURSE, reason: string) => ({ staff, reason });
  const { id } = (await api.ask(as(RECEPTIONIST, 'New patient registration'), 'POST', '/patients', {
    ...{ firstName: 'Ada', lastName: 'Byron', dateOfBirth: '1985-12-10', gender: 'FEMALE' },
    ...{ email: 'ada@mail.example', phone: '+15550101', address: '12 Linden Road' },
  })) as { id: string };
  const patch = (staff: typeof NURSE, reason: string, body: object) =>
    api.ask(as(staff, reason), 'PATCH', `/patients/${id}`, body);
  await patch(NURSE, 'Intake interview', { allergies: ['Penicillin'] });
  await patch(PHYSICIANS[0]!, 'Correction after laboratory report', {
    allergies: ['Penicillin', 'Latex'],
  });
  await patch(RECEPTIONIST, 'Patient married', { lastName: 'King', email: 'ada.king@mail.example' });
  await sql.query(
    `BEGIN; ALTER TABLE "Patient" ADD COLUMN insurance text; SELECT pg_logical_emit_message(true, '_bemi_ddl', '${ddl}'); COMMIT`,
  );
  await patch(RECEPTIONIST, 'Patient moved house', { address: '7 Orchard Way' });
  await sql.query(`UPDATE "Patient" SET phone = NULL WHERE id = $1`, [id]);
  stop.abort();
  await played;
  await recorded();

  const page = await openWatchedPage({ viewport: { width: 1200, height: 800 } });
  const record = `/record?table=public.Patient&primaryKey=${id}`;
  await page.goto(`${url}${record}`);
  const life = page.getByRole('region', { name: 'Life' }).getByRole('listitem');
  await life.first().waitFor();
  expect((await life.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '))).toEqual([
    expect.stringMatching(/direct SQL.* updated it .*phone: \+15550101 → became NULL/),
    expect.stringMatching(
      /tom\.whitfield \(RECEPTIONIST\) updated it Patient moved house · .*address: 12 Linden Road/,
    ),
    expect.stringMatching(/deploy altered table Patient/),
    expect.stringMatching(
      /tom\.whitfield \(RECEPTIONIST\) updated it Patient married .*lastName: Byron → became King/,
    ),
    expect.stringMatching(/amara\.okafor \(PHYSICIAN\) updated it Correction after/),
    expect.stringMatching(/mei-ling\.chen \(NURSE\) updated it Intake interview/),
    expect.stringMatching(/tom\.whitfield \(RECEPTIONIST\) created it New patient registration/),
  ]);
  await life.nth(4).getByRole('button', { name: 'Show' }).click();
  await page.getByText(/columns differ from now$/).waitFor();
  const then = page.url().slice(url.length);

  if (shots !== undefined) await reportDay(trail, 'clinic');
  const pages: readonly PageToShow[] = [
    { name: 'logs', at: '/logs', shows: 'tom.whitfield' },
    { name: 'logs-open', at: '/logs?changed=lastName', shows: 'tom.whitfield', opens: /Details of entry/ },
    { name: 'record', at: record, shows: 'Patient moved house' },
    { name: 'record-then', at: then, shows: 'columns differ from now' },
    { name: 'integrity', at: '/integrity', shows: 'Last checkpoint' },
    { name: 'health', at: '/health', shows: 'Recording, and up to date' },
    { name: 'accesses', at: '/accesses', shows: 'Who' },
    { name: 'api', at: '/docs', shows: 'Search a log' },
  ];
  for (const { look, colorScheme, width, height } of shots === undefined ? [] : looks) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme });
    for (const { name, at, shows, opens } of pages) {
      await page.goto(`${url}${at}`);
      await page.getByRole('main').getByText(shows).first().waitFor();
      if (opens) await page.getByRole('button', { name: opens }).first().click();
      await takeShot(page, `${name}-${look}`);
    }
  }
  expect(page.problems).toEqual([]);
});

const ddl = JSON.stringify({
  ...{ v: 1, event: 'command', tag: 'ALTER TABLE', session_user: 'deploy', application_name: 'psql' },
  statement: 'ALTER TABLE "Patient" ADD COLUMN insurance text',
  objects: [{ kind: 'table', schema: 'public', name: 'Patient', identity: 'public."Patient"' }],
});
