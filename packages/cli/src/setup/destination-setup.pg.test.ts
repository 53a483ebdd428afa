import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { migrateAccounts } from '@bemi-db/dashboard/server/accounts/accounts-schema';
import { lookAtAccounts } from '@bemi-db/dashboard/server/accounts/look-at-accounts';
import { createDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { expect, test } from 'vitest';
import { testTrailRoles } from '../../../trail/test/trail-roles.ts';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

async function auditDatabase() {
  const database = await createDatabase();
  const { owner, writer, reader, accounts } = testTrailRoles(database);
  const flags = ['--owner', owner, '--writer', writer, '--reader', reader, '--accounts', accounts];
  return { database, owner, writer, reader, accounts, flags };
}

test('a dry run prints the SQL, which psql could run, and changes nothing', async () => {
  const { database, writer, flags } = await auditDatabase();
  const dry = await runBemi(['setup', '--destination', database.url, ...flags, '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain(`CREATE ROLE "${writer}" WITH LOGIN PASSWORD :'password';`);
  expect(dry.stdout).toContain('CREATE TABLE bemi.change_log');
  const client = await database.connect();
  expect((await client.query(`SELECT FROM pg_namespace WHERE nspname = 'bemi'`)).rowCount).toBe(0);
  // The statements alone, as they are printed.
  await client.query(dry.stdout.replaceAll(":'password'", "'x'"));
  const again = await runBemi(['setup', '--destination', database.url, ...flags, '--dry-run']);
  expect(again).toMatchObject({ code: 0, stdout: '' });
});

test('the worker records with what setup wrote, the reader reads, and a second run changes nothing', async () => {
  const { database, writer, reader, accounts, flags } = await auditDatabase();
  const folder = projectFolder();
  const first = await runBemi(['setup', '--destination', database.url, ...flags, '--yes'], {}, folder);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/✓ Make the role bemi_writer_.*✓ Bring the schema up to date: 0001_log.sql/s);
  expect(first.stdout).toMatch(/Next +bemi setup --admin-url/);

  const file = join(folder, '.bemi', 'worker.env');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const written = readFileSync(file, 'utf8');
  const writerUrl = /^BEMI_DESTINATION_URL=(.*)$/m.exec(written)?.[1] ?? '';
  expect(new URL(writerUrl).username).toBe(writer);
  expect(first.stdout).not.toContain(new URL(writerUrl).password);
  const accountsUrl = /^BEMI_ACCOUNTS_URL=(.*)$/m.exec(written)?.[1] ?? '';
  expect(new URL(accountsUrl).username).toBe(accounts);
  const keeper = new pg.Client(accountsUrl);
  await keeper.connect();
  expect(await lookAtAccounts(keeper)).toEqual({ state: 'none' });
  expect(await migrateAccounts(keeper)).not.toEqual([]);
  expect(await lookAtAccounts(keeper)).toEqual({ state: 'current', people: 0, admins: 0 });
  const addAdmin = (id: string, disabledAt: string | null) =>
    keeper.query(
      `INSERT INTO bemi_accounts.people (id, name, email, role, disabled_at) VALUES ($1, $1, $1, 'admin', $2)`,
      [id, disabledAt],
    );
  await addAdmin('ada', '2026-01-01');
  await expect(keeper.query('SELECT FROM bemi.change_log')).rejects.toMatchObject({ code: '42501' });
  const readerUrl = new RegExp(`postgres(ql)?://${reader}:\\S+`).exec(first.stdout)?.[0] ?? '';

  const source = await createDatabase();
  const sql = await source.connect();
  await sql.query('CREATE TABLE "Patient" (id text PRIMARY KEY, name text)');
  const prepared = await runBemi(
    ['setup', '--admin-url', source.url, '--slot', `slot_${source.name}`, '--yes'],
    {},
    folder,
  );
  expect(prepared).toMatchObject({ code: 0, stderr: '' });
  await sql.query(`INSERT INTO "Patient" VALUES ('clx1', 'Ada'); UPDATE "Patient" SET name = 'Ada King'`);
  const drained = await runBemi(['worker', '--drain'], {}, folder);
  expect(drained, drained.stdout).toMatchObject({ code: 0, stderr: '' });

  const environment = { BEMI_DESTINATION_URL: readerUrl };
  const log = await runBemi(['log'], environment, folder);
  expect(log.stdout).toContain('created Patient clx1');
  const history = await runBemi(['history', 'Patient', 'clx1'], environment, folder);
  expect(history).toMatchObject({ code: 0, stdout: expect.stringContaining('Ada King') });
  const status = await runBemi(['status'], environment, folder);
  expect(status, status.stderr).toMatchObject({ code: 0 });
  const verified = await runBemi(['verify', '--json'], environment, folder);
  expect(verified, verified.stderr).toMatchObject({ code: 0 });
  expect(verified.stdout).toContain('"findings":[]');

  // Of the accounts, which only their role sees, doctor says whether somebody can administer them.
  const accountsAs = async (settings: Readonly<Record<string, string>>) => {
    const { stdout } = await runBemi(['doctor', '--json'], settings, folder);
    const report = JSON.parse(stdout) as { sections: { findings: { id: string }[] }[] };
    return report.sections.flatMap(({ findings }) => findings).filter(({ id }) => id === 'accounts');
  };
  const unseen = accountsAs({ BEMI_ACCOUNTS_URL: writerUrl });
  const away = accountsAs({ BEMI_ACCOUNTS_URL: 'postgres://accounts@127.0.0.1:1/accounts' });
  expect(await accountsAs({})).toMatchObject([
    {
      verdict: 'warning',
      title: 'Nobody can administer the dashboard',
      evidence: '0 admins, 1 person in all; those that are disabled do not count',
      fix: expect.stringContaining('bemi accounts link ADDRESS --role admin'),
    },
  ]);
  expect(await unseen).toMatchObject([
    { verdict: 'unknown', fix: expect.stringContaining('BEMI_ACCOUNTS_URL') },
  ]);
  expect(await away).toMatchObject([{ verdict: 'warning', evidence: 'unreachable' }]);
  await addAdmin('bob', null);
  expect(await lookAtAccounts(keeper)).toEqual({ state: 'current', people: 2, admins: 1 });
  await keeper.query(`INSERT INTO bemi_accounts.migrations (number, name) VALUES (9999, '9999_later.sql')`);
  expect(await lookAtAccounts(keeper)).toMatchObject({ state: 'newer' });
  await keeper.end();

  const second = await runBemi(['setup', '--destination', database.url, ...flags, '--yes'], {}, folder);
  expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing is missing') });
  expect(second.stdout).toMatch(/Next +bemi worker\n/);
  // The source was added to it, nothing else.
  expect(readFileSync(file, 'utf8').startsWith(written)).toBe(true);
  // As the writer, which the file names: nothing is missing either, and nothing could be made.
  const asWriter = await runBemi(['setup', '--destination', ...flags, '--yes'], {}, folder);
  expect(asWriter).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing is missing') });
  const admin = new pg.Client(database.url);
  await admin.connect();
  await admin.query(`REVOKE INSERT ON bemi.tiles FROM ${writer}`);
  await admin.end();
  const lacking = await runBemi(['setup', '--destination', ...flags, '--yes'], {}, folder);
  expect(lacking).toMatchObject({ code: 1, stderr: expect.stringContaining('Connect as the administrator') });
});

test('a worker as the writer says to run setup where the schema is missing or old', async () => {
  const { database, writer, flags } = await auditDatabase();
  const folder = projectFolder();
  const source = await createDatabase();
  const client = await database.connect();
  await client.query(`CREATE ROLE ${writer} WITH LOGIN PASSWORD 'x'`);
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: database.urlAs(writer, 'x'),
  };
  const missing = await runBemi(['worker', '--drain'], environment, folder);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('bemi setup --destination') });
  expect(missing.stderr).toContain('has no schema bemi');
  await runBemi(['setup', '--destination', database.url, ...flags, '--yes'], {}, folder);
  await client.query('DELETE FROM bemi.migrations WHERE number = 2');
  const old = await runBemi(['worker', '--drain'], environment, folder);
  expect(old).toMatchObject({ code: 2, stderr: expect.stringContaining('lacks migration 0002') });
});

test('wrong usage', async () => {
  const none = await runBemi(['setup', '--destination']);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('No audit database is named') });
  const mixed = await runBemi(['setup', '--destination', 'postgres://h/d', '--slot', 'x']);
  expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining('--slot') });
  const alone = await runBemi(['setup', '--writer', 'x']);
  expect(alone).toMatchObject({ code: 2, stderr: expect.stringContaining('Add --destination') });
  const database = await createDatabase();
  const same = await runBemi(['setup', '--destination', database.url, '--writer', 'a', '--reader', 'a']);
  expect(same).toMatchObject({ code: 2 });
  const unasked = await runBemi(['setup', '--destination', database.url]);
  expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  const help = await runBemi(['setup', '--help']);
  expect(help.stdout).toContain('bemi setup --destination postgres://');
});
