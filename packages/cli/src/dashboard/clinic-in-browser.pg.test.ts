import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../../../examples/clinic/src/migrate.ts';
import { startClinic } from '../../../../examples/clinic/src/server.ts';
import { clinicApi } from '../../../../examples/clinic/src/traffic/clinic-api.ts';
import { NURSE, RECEPTIONIST } from '../../../../examples/clinic/src/traffic/staff.ts';
import { openWatchedPage } from '../../../dashboard/test/watched-page.ts';
import { firstAdminLink } from '../../test/first-admin-link.ts';
import { startBemi } from '../../test/run-bemi.ts';

const password = 'violet harbour mends 7 kettles';

test('a patient is changed in the application, and who may see it does, without a reload', {
  timeout: 120_000,
}, async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  await migrate(source.url);
  await (await source.connect()).query(
    `ALTER TABLE "Patient" REPLICA IDENTITY FULL; ALTER TABLE "User" REPLICA IDENTITY FULL`,
  );
  const bemi = startBemi(['start'], {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: `slot_${source.name}`,
    BEMI_PORT: '0',
  });
  const link = await firstAdminLink(bemi);
  await bemi.untilPrinted('"msg":"Recording"');
  const clinic = await startClinic({ databaseUrl: source.url });
  onTestFinished(() => clinic.close());
  const api = clinicApi(clinic.url, new AbortController().signal);

  // The link that was printed, as whoever started it opens it.
  const ada = await openWatchedPage({ viewport: { width: 1200, height: 900 } });
  const button = (name: string | RegExp) => ada.getByRole('button', { name, exact: true });
  await ada.goto(link.href);
  await ada.getByLabel('E-mail address').fill('ada@clinic.example');
  await ada.getByLabel('Name').fill('Ada Byron');
  await ada.getByLabel('Password', { exact: true }).fill(password);
  await button('Make the account').click();
  await ada.getByRole('button', { name: 'Live: pause' }).waitFor();
  await ada.evaluate('window.isSamePage = true');

  const { id } = (await api.ask(
    { staff: RECEPTIONIST, reason: 'New patient registration' },
    'POST',
    '/patients',
    {
      ...{ firstName: 'Grace', lastName: 'Murray', dateOfBirth: '1906-12-09', gender: 'FEMALE' },
      ...{ email: 'grace@mail.example', phone: '+15550101', address: '12 Linden Road' },
    },
  )) as { id: string };
  const main = ada.getByRole('main');
  await main.getByText('New patient registration').first().waitFor();
  await api.ask({ staff: NURSE, reason: 'Intake interview' }, 'PATCH', `/patients/${id}`, {
    lastName: 'Hopper',
  });
  await main.getByText('Intake interview').first().waitFor();
  expect(await main.innerText()).toMatch(/mei-ling\.chen \(NURSE\)\s+updated\s+Patient/);
  expect(await ada.evaluate('window.isSamePage')).toBe(true);

  // Filtered, then the record's life.
  await ada.goto(`${link.origin}/logs?changed=lastName`);
  await main.getByText('Intake interview').first().waitFor();
  expect(await main.getByText('New patient registration').count()).toBe(0);
  await ada.goto(`${link.origin}/record?table=public.Patient&primaryKey=${id}`);
  const life = ada.getByRole('region', { name: 'Life' });
  await life.getByText('created it').waitFor();
  expect(await life.innerText()).toMatch(/updated it.*Murray.*Hopper.*created it/s);

  // Whole, said by a verification that is started here and seen to its end.
  await ada.goto(`${link.origin}/integrity`);
  await button('Verify now').click();
  await main.getByText('The log is what was recorded').waitFor();

  // The worker says how it is doing.
  await ada.goto(`${link.origin}/health`);
  await main.getByText('Recording, and up to date').waitFor();
  expect(await main.innerText()).toContain(`process ${bemi.child.pid}`);

  // A viewer of another table sees neither the patient nor who may sign in.
  await ada.goto(`${link.origin}/people`);
  await button('Invite').click();
  await ada.getByLabel('E-mail address').fill('vera@clinic.example');
  await ada.getByLabel('Tables').fill('public.User');
  await button('Make the link').click();
  await ada.getByText('A link for vera@clinic.example').waitFor();
  const invitation = await ada.locator('pre').textContent();
  const vera = await openWatchedPage({ viewport: { width: 1200, height: 900 } });
  await vera.goto(invitation!);
  await vera.getByLabel('Name').fill('Vera');
  await vera.getByLabel('Password', { exact: true }).fill(password);
  await vera.getByRole('button', { name: 'Make the account' }).click();
  await vera.getByRole('navigation').getByText('Logs').waitFor();
  await (await source.connect()).query(
    `INSERT INTO "User" (id, email, name, role, "updatedAt") VALUES ('u1', 'new@clinic.example', 'New Hire', 'NURSE', now())`,
  );
  await vera
    .getByRole('main')
    .getByText(/created User/)
    .first()
    .waitFor();
  expect(await vera.getByRole('main').innerText()).not.toContain('Patient');
  expect(await vera.getByRole('navigation').innerText()).not.toMatch(/People|Integrity|Accesses/);
  await vera.goto(`${link.origin}/people`);
  await vera
    .getByText(/may not/)
    .first()
    .waitFor();

  // What both looked at is recorded.
  await ada.goto(`${link.origin}/accesses`);
  await main
    .getByText(/vera@clinic\.example/)
    .first()
    .waitFor();
  expect([...ada.problems, ...vera.problems.filter((text) => !text.includes('403'))]).toEqual([]);
  bemi.child.kill('SIGTERM');
  expect((await bemi.finished).code).toBe(0);
});
