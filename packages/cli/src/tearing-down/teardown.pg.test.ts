import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

/** Everything in a database that setup could have left something in, privileges as they come out, not as they are written. */
async function traces(client: pg.Client): Promise<unknown> {
  const { rows } = await client.query(`
    SELECT 'event trigger' AS what, evtname::text AS name, '' AS detail FROM pg_event_trigger
    UNION ALL SELECT 'function', p.oid::regprocedure::text, '' FROM pg_proc p
               WHERE p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    UNION ALL SELECT 'trigger', tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'schema', n.nspname, coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text)
                FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a), '')
                FROM pg_namespace n WHERE n.nspname !~ '^pg_'
    UNION ALL SELECT 'table', c.oid::regclass::text, c.relreplident::text || coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text)
                FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a), '')
                FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'publication', pubname, '' FROM pg_publication
    UNION ALL SELECT 'default privileges', d.defaclrole::regrole::text, d.defaclacl::text FROM pg_default_acl d
    UNION ALL SELECT 'slot', slot_name, '' FROM pg_replication_slots WHERE database = current_database()
    ORDER BY 1, 2, 3`);
  return rows;
}

async function application(): Promise<{
  database: TestDatabase;
  client: pg.Client;
  role: string;
  flags: string[];
}> {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE TABLE "Patient" (id text PRIMARY KEY); CREATE TABLE note (body text);
    CREATE TABLE visit (day date, id int) PARTITION BY RANGE (day);
    CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO note VALUES ('a');
  `);
  const role = `bemi_${database.name}`;
  onTestFinished(async () => {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
    if (rowCount) await client.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
  return { database, client, role, flags: ['--slot', `slot_${database.name}`] };
}

test('teardown takes everything away that setup, the guide and a migration made, once the worker has stopped', async () => {
  const { database, client, role, flags } = await application();
  const audit = await createDatabase();
  const folder = projectFolder();
  const before = await traces(client);
  const admin = ['--admin-url', database.url, ...flags];

  const setup = await runBemi(['setup', ...admin, '--role', role, '--yes'], {}, folder);
  expect(setup, setup.stderr).toMatchObject({ code: 0 });
  const migration = await runBemi(['migration:create', '--tables', 'Patient', '--print'], {}, folder);
  await client.query(migration.stdout);
  await client.query(`
    CREATE PROCEDURE _bemi_set_replica_identity() AS $$ BEGIN END $$ LANGUAGE plpgsql;
    CREATE FUNCTION _bemi_set_replica_identity_func() RETURNS event_trigger AS $$ BEGIN CALL public._bemi_set_replica_identity(); END $$ LANGUAGE plpgsql;
    CREATE EVENT TRIGGER _bemi_set_replica_identity_trigger ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
      EXECUTE FUNCTION _bemi_set_replica_identity_func();
  `);
  expect(await traces(client)).not.toEqual(before);

  // Not under a worker that records.
  const worker = startBemi(['worker', '--port', '0'], { BEMI_DESTINATION_URL: audit.url }, folder);
  await worker.untilPrinted('Recording');
  await client.query(`INSERT INTO "Patient" VALUES ('p1')`);
  const refused = await runBemi(['teardown', ...admin, '--yes'], {}, folder);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/A worker reads the slot.*Stop it first/s),
  });
  worker.child.kill('SIGTERM');
  await worker.finished;

  const everything = await traces(client);
  const dry = await runBemi(['teardown', ...admin, '--dry-run'], {}, folder);
  expect(dry.stdout.trimEnd().split('\n').at(-1)).toContain('pg_drop_replication_slot');
  expect((await runBemi(['teardown', ...admin], {}, folder)).stderr).toContain('no terminal to ask on');
  expect(await traces(client)).toEqual(everything);

  const done = await runBemi(['teardown', ...admin, '--yes'], {}, folder);
  expect(done, done.stderr).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('The audit database stays'),
  });
  expect(await traces(client)).toEqual(before);
  expect((await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role])).rowCount).toBe(0);
  await client.query(`UPDATE note SET body = 'b'; DELETE FROM visit`);

  const again = await runBemi(['teardown', ...admin, '--role', role, '--yes', '--json'], {}, folder);
  expect(again).toMatchObject({ code: 0, stdout: '{"steps":[]}\n' });
  const log = await runBemi(['log'], { BEMI_DESTINATION_URL: audit.url }, folder);
  expect(log.stdout).toContain('created Patient p1');
});

test('what is somebody else’s is left: a role that owns something, tables of another publication; and what is to be kept', async () => {
  const { database, client, role, flags } = await application();
  const admin = ['--admin-url', database.url, ...flags];
  await runBemi(['setup', ...admin, '--role', role, '--no-event-triggers', '--yes']);
  await client.query(`ALTER TABLE "Patient" OWNER TO ${role}; CREATE PUBLICATION other FOR TABLE note`);
  const done = await runBemi(['teardown', ...admin, '--role', role, '--keep-slot', '--yes']);
  expect(done, done.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('it owns 1 object') });
  const { rows } = await client.query(
    `SELECT relname, relreplident FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1`,
  );
  expect(rows.map(({ relname, relreplident }) => `${relname} ${relreplident}`)).toEqual([
    ...['Patient d', 'note f', 'visit d', 'visit_2026 d'],
  ]);
  expect(
    (await client.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).rowCount,
  ).toBe(1);
  const may = async (privilege: string) =>
    (await client.query(`SELECT has_table_privilege($1, 'note', $2) AS may`, [role, privilege])).rows[0].may;
  expect(await may('SELECT')).toBe(true);

  // Whom the application uses keeps what it has.
  await client.query(`ALTER TABLE "Patient" OWNER TO CURRENT_USER; GRANT INSERT ON note TO ${role}`);
  const writer = await runBemi(['teardown', ...admin, '--role', role, '--yes']);
  expect(writer, writer.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('it has INSERT') });
  expect([await may('SELECT'), await may('INSERT')]).toEqual([true, true]);
});
