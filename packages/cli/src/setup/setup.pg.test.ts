import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectDdl, installedOptions } from '@bemi-db/source/ddl/inspect-ddl';
import { createDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

async function application() {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query('CREATE TABLE "Patient" (id text PRIMARY KEY); CREATE TABLE note (body text)');
  const role = `bemi_${database.name}`;
  onTestFinished(async () => {
    const admin = new pg.Client(database.url);
    await admin.connect();
    const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
    if (rowCount) await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await admin.end();
  });
  const flags = ['--admin-url', database.url, '--slot', `slot_${database.name}`];
  return { database, client, role, flags };
}

test('a dry run prints the SQL and changes nothing', async () => {
  const { client, role, flags } = await application();
  const dry = await runBemi(['setup', ...flags, '--role', role, '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  const statements = dry.stdout.trimEnd().split('\n');
  expect(statements[0]).toBe('ALTER TABLE "public"."Patient" REPLICA IDENTITY FULL;');
  expect(statements.at(-1)).toContain('pg_create_logical_replication_slot');
  expect(dry.stdout).toContain(`CREATE ROLE "${role}" WITH LOGIN REPLICATION PASSWORD :'password';`);
  expect(dry.stdout).toContain('CREATE EVENT TRIGGER bemi_ddl_command');
  const without = await runBemi([
    'setup',
    ...flags,
    '--no-event-triggers',
    '--provider',
    'aws-rds',
    '--role',
    role,
    '--dry-run',
  ]);
  expect(without.stdout).not.toContain('EVENT TRIGGER');
  expect(without.stdout).toContain(`GRANT rds_replication TO "${role}";`);
  const { rowCount } = await client.query('SELECT FROM pg_publication');
  expect(rowCount).toBe(0);
});

test('twice: the second run finds nothing missing', async () => {
  const { database, client, role, flags } = await application();
  const folder = projectFolder();
  const first = await runBemi(['setup', ...flags, '--role', role, '--yes'], {}, folder);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(/✓ Keep the whole old row of public.Patient.*✓ Make the replication slot/s);
  expect(first.stdout).toMatch(/Next +bemi worker --embedded/);

  const file = join(folder, '.bemi', 'worker.env');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const written = readFileSync(file, 'utf8');
  const url = /^BEMI_DATABASE_URL=(.*)$/m.exec(written)?.[1] ?? '';
  expect(first.stdout).not.toContain(new URL(url).password);
  const worker = new pg.Client(url);
  await worker.connect();
  await worker.query('SELECT FROM "Patient"');
  await expect(worker.query('DELETE FROM "Patient"')).rejects.toMatchObject({ code: '42501' });
  await worker.end();

  const second = await runBemi(['setup', ...flags, '--role', role, '--yes'], {}, folder);
  expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing is missing') });
  expect(readFileSync(file, 'utf8')).toBe(written);
  const dry = await runBemi(['setup', ...flags, '--role', role, '--dry-run'], {}, folder);
  expect(dry).toMatchObject({ code: 0, stdout: '' });

  // The file alone is enough for the worker.
  const audit = await createDatabase();
  await client.query(`INSERT INTO "Patient" VALUES ('clx1')`);
  const drained = await runBemi(['worker', '--drain'], { BEMI_DESTINATION_URL: audit.url }, folder);
  expect(drained).toMatchObject({ code: 0, stderr: '' });
  const log = await runBemi(['log'], { BEMI_DESTINATION_URL: audit.url }, folder);
  expect(log.stdout).toContain('created Patient clx1');
  expect(log.stdout).not.toContain(database.url);
});

test('a slot of another database is refused before anything is changed', async () => {
  const { client, flags } = await application();
  const other = await createDatabase();
  const slot = flags.at(-1)!;
  const { rowCount: made } = await (await other.connect()).query(
    `SELECT pg_create_logical_replication_slot($1, 'pgoutput')`,
    [slot],
  );
  expect(made).toBe(1);
  const { code, stdout, stderr } = await runBemi(['setup', ...flags, '--yes']);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/belongs to another database.*why {2}slot.*set BEMI_REPLICATION_SLOT/s);
  expect(stderr.split('belongs to another database')).toHaveLength(2);
  const { rows } = await client.query(
    `SELECT FROM pg_publication UNION ALL SELECT FROM pg_event_trigger
     UNION ALL SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relreplident = 'f'`,
  );
  expect(rows).toEqual([]);
});

test('selected tables only', async () => {
  const { client, flags } = await application();
  const { code } = await runBemi([
    'setup',
    ...flags,
    '--tables',
    'Patient',
    '--publication',
    'some',
    '--yes',
  ]);
  expect(code).toBe(0);
  const { rows } = await client.query('SELECT pubname, tablename FROM pg_publication_tables');
  expect(rows).toEqual([{ pubname: 'some', tablename: 'Patient' }]);
  const pattern = await runBemi([
    'setup',
    ...flags,
    '--tables',
    'Pat*,note',
    '--publication',
    'some',
    '--dry-run',
  ]);
  expect(pattern.stdout).toContain('ALTER PUBLICATION "some" ADD TABLE "public"."note";');
  const unknown = await runBemi(['setup', ...flags, '--tables', 'patient', '--yes']);
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no table public.patient.*public.Patient/s),
  });
});

test('of several sources in bemi.config.yaml, the one that is named', async () => {
  const { database, client } = await application();
  const folder = projectFolder();
  const source = (name: string) =>
    `  - { name: ${name}, url: "${database.url}", slot: slot_${database.name}_${name} }\n`;
  writeFileSync(join(folder, 'bemi.config.yaml'), `sources:\n${source('a')}${source('b')}`, { mode: 0o600 });
  const which = await runBemi(['setup', '--yes'], {}, folder);
  expect(which).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/several sources: a, b.*--source NAME/s),
  });
  const mixed = await runBemi(['setup', '--source', 'b', '--slot', 'x', '--yes'], {}, folder);
  expect(mixed).toMatchObject({ code: 2, stderr: expect.stringContaining('--slot is of one source') });
  const done = await runBemi(['setup', '--source', 'b', '--yes'], {}, folder);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  const { rows } = await client.query(
    'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()',
  );
  expect(rows).toEqual([{ slot_name: `slot_${database.name}_b` }]);
});

test('a pooler is refused before anything is asked of it', async () => {
  const url = 'postgres://a:hunter2@ep-cool-1-pooler.eu-central-1.aws.neon.tech/app';
  const run = await runBemi(['setup', '--admin-url', url]);
  expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('take the host without -pooler') });
  expect(run.stderr).not.toContain('hunter2');
});

test('entries of DDL have no text of statements, where that was chosen', async () => {
  const { client, flags } = await application();
  const run = await runBemi(['setup', ...flags, '--ddl-text', 'none', '--yes']);
  expect(run.code).toBe(0);
  expect(installedOptions(await inspectDdl(client)).statements).toBe(false);
  const again = await runBemi(['setup', ...flags, '--dry-run']);
  expect(again).toMatchObject({ code: 0, stdout: '' });
});

test('without a terminal to ask on, nothing is done', async () => {
  const { client, flags } = await application();
  const { code, stderr } = await runBemi(['setup', ...flags]);
  expect(stderr).toMatch(/no terminal to ask on.*--yes.*--dry-run/s);
  expect(code).toBe(2);
  expect((await client.query('SELECT FROM pg_publication')).rowCount).toBe(0);
});

test('a role that existed keeps its password, which is not made up', async () => {
  const { database, client, role, flags } = await application();
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  const folder = projectFolder();
  const { code, stdout } = await runBemi(['setup', ...flags, '--role', role, '--yes'], {}, folder);
  expect(stdout).toContain("its password isn't known here");
  expect(code).toBe(0);
  expect(readFileSync(join(folder, '.bemi', 'worker.env'), 'utf8')).not.toContain('BEMI_DATABASE_URL=');
  const worker = new pg.Client(database.urlAs(role, 'secret'));
  await worker.connect();
  await worker.end();
});

test('a table that stays in use is named with who holds it, and all else is done', async () => {
  const { database, client, flags, role } = await application();
  await client.query('CREATE TABLE large (id int PRIMARY KEY, text text)');
  await client.query(`INSERT INTO large SELECT n, repeat('x', 500) FROM generate_series(1, 100) n`);
  await client.query('ANALYZE large');
  const holder = await database.connect();
  await holder.query(`SET application_name = 'nightly import'; BEGIN; SELECT FROM large`);
  const folder = projectFolder();
  const run = startBemi(['setup', ...flags, '--role', role, '--yes'], {}, folder);
  await run.untilPrinted('Keep the whole old row of public.large: in use by pid');
  await run.untilPrinted('✓ Keep the whole old row of public.note');
  run.child.kill('SIGKILL');
  await run.finished;

  // With the identity that it has, there is nothing to wait for; and what it would have cost is said.
  const dry = await runBemi(['setup', ...flags, '--role', role, '--dry-run'], {}, folder);
  expect(dry.stderr).toMatch(/public\.large +\+5\d\d bytes a change/);
  const run2 = await runBemi(
    ['setup', ...flags, '--role', role, '--identity', 'default', '--yes'],
    {},
    folder,
  );
  expect(run2, run2.stderr).toMatchObject({ code: 0 });
  // So it is with tables that are made later, and with the next run.
  await client.query('CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE keyless (id int)');
  const { rows } = await client.query(
    `SELECT relname, relreplident FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  expect(rows.map(({ relname, relreplident }) => `${relname} ${relreplident}`)).toEqual([
    ...['Patient f', 'keyed d', 'keyless f', 'large d', 'note f'],
  ]);
  await holder.query('COMMIT');
  const again = await runBemi(['setup', ...flags, '--role', role, '--dry-run'], {}, folder);
  expect(again).toMatchObject({ code: 0, stdout: '' });
});

test('the password of a role that was made is kept, also where a later step fails', async () => {
  const { database, client, flags, role } = await application();
  const admin = `admin_${database.name}`;
  await client.query(`CREATE ROLE ${admin} LOGIN CREATEROLE REPLICATION PASSWORD 'x'`);
  await client.query(`ALTER TABLE "Patient" OWNER TO ${admin}; ALTER TABLE note OWNER TO ${admin};
                      GRANT ALL ON SCHEMA public TO ${admin} WITH GRANT OPTION;
                      GRANT CREATE ON DATABASE ${database.name} TO ${admin}`);
  onTestFinished(async () => {
    const superuser = new pg.Client(database.url);
    await superuser.connect();
    await superuser.query(
      `REASSIGN OWNED BY ${admin} TO postgres; DROP OWNED BY ${admin} CASCADE; DROP ROLE ${admin}`,
    );
    await superuser.end();
  });
  const folder = projectFolder();
  const as = ['--admin-url', database.urlAs(admin, 'x'), ...flags.slice(2), '--role', role, '--yes'];
  const hosted = await runBemi(['setup', ...as, '--provider', 'render'], {}, folder);
  expect(hosted).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/Render does not let.*--tables '\*'/s),
  });
  expect(hosted.stdout).toBe('');
  // FOR ALL TABLES is a superuser's.
  const refused = await runBemi(['setup', ...as], {}, folder);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/42501.*--tables '\*'/s) });
  const selected = await runBemi(['setup', ...as, '--tables', 'Patient,note'], {}, folder);
  expect(selected, selected.stderr).toMatchObject({ code: 0 });
  expect(selected.stdout).not.toContain("password isn't known here");
  expect(selected.stdout).toMatch(/Event triggers are not allowed.*SELECT bemi_ddl.record_tables\(\);/s);
  const url = /^BEMI_DATABASE_URL=(.*)$/m.exec(
    readFileSync(join(folder, '.bemi', 'worker.env'), 'utf8'),
  )?.[1];
  const worker = new pg.Client(url);
  await worker.connect();
  await worker.query('SELECT FROM "Patient"');
  await worker.end();

  // What it may not alter, and can be updated all the same, is said and no failure.
  await client.query(
    `CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY); CREATE PUBLICATION every FOR ALL TABLES`,
  );
  const every = await runBemi(['setup', ...as, '--publication', 'every'], {}, folder);
  expect(every, every.stderr).toMatchObject({ code: 0 });
  expect(every.stdout).toContain('no REPLICA IDENTITY FULL on auth.users');
});
