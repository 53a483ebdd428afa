import { serverMajor } from '@bemi-db/test-kit/server-major';
import { expect, test } from 'vitest';
import { createDdlSource, type DdlMessage } from '../../test/ddl-source.ts';
import { asTestRole, makeTestRole } from '../../test/test-role.ts';
import { applyPlan } from '../apply-plan.ts';
import { checkDdl } from './check-ddl.ts';
import { functionsInstalled, inspectDdl, triggersInstalled } from './inspect-ddl.ts';
import { planDdl, planDdlRemoval } from './plan-ddl.ts';

const streams = serverMajor() >= 14;
/** What a message says, in a word for each object. */
const said = (messages: readonly DdlMessage[]) =>
  messages.map(({ event, tag, via, objects }) =>
    [
      event,
      tag,
      ...objects.map((object) => object['name'] ?? object['identity']),
      ...(via ? [via] : []),
    ].join(' '),
  );

test('the plan is done once, again where something was changed, and takes everything away', async () => {
  const { client } = await createDdlSource();
  expect(planDdl(await inspectDdl(client))).toEqual([]);
  await client.query('ALTER EVENT TRIGGER bemi_ddl_a_identity DISABLE');
  const disabled = await inspectDdl(client);
  expect(triggersInstalled(disabled)).toBe('other');
  expect(planDdl(disabled).map(({ id }) => id)).toEqual(['ddl triggers']);
  expect(planDdl(disabled, { identity: 'unchanged' }).map(({ id }) => id)).toEqual([
    'ddl functions',
    'ddl triggers',
  ]);
  await applyPlan(client, planDdl(disabled));
  expect(planDdl(await inspectDdl(client))).toEqual([]);

  await applyPlan(client, planDdlRemoval(await inspectDdl(client)));
  const gone = await inspectDdl(client);
  expect([functionsInstalled(gone, {}), triggersInstalled(gone), planDdlRemoval(gone)]).toEqual([
    'none',
    'none',
    [],
  ]);
  expect((await client.query(`SELECT to_regnamespace('bemi_ddl') AS schema`)).rows).toEqual([
    { schema: null },
  ]);
});

test('every way to make a table gives it an identity', async () => {
  const { client, identities, warnings } = await createDdlSource();
  await client.query(`
    CREATE TABLE plain (id int);
    CREATE TABLE as_query AS SELECT 1 AS id;
    SELECT 1 AS id INTO selected;
    CREATE TABLE parted (day date, id int) PARTITION BY RANGE (day);
    CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE liked (LIKE plain);
    CREATE TABLE inherited () INHERITS (plain);
    CREATE UNLOGGED TABLE unlogged (id int);
    CREATE TEMP TABLE temporary (id int);
    CREATE TEMP TABLE temporary_query AS SELECT 1 AS id;
    CREATE TABLE IF NOT EXISTS plain (other int);
    CREATE TABLE "say ""hi"" 🩺; -- %I" ("a b" int);
    CREATE SCHEMA "Clinic.North" CREATE TABLE visit (id int) CREATE TABLE "Visit" (id int);
    DO $$ BEGIN CREATE TABLE in_block (id int); END $$;
  `);
  const names = [
    'as_query',
    'in_block',
    'inherited',
    'liked',
    'parted',
    'parted_2026',
    'plain',
    'say "hi" 🩺; -- %I',
    'selected',
    'unlogged',
  ];
  expect(await identities()).toEqual(Object.fromEntries(names.map((name) => [name, 'f'])));
  expect(await identities('Clinic.North')).toEqual({ visit: 'f', Visit: 'f' });
  expect(warnings).toEqual([]);
  // What somebody decided later stays.
  await client.query('ALTER TABLE plain REPLICA IDENTITY DEFAULT; ALTER TABLE plain ADD COLUMN more int');
  expect(await identities()).toMatchObject({ plain: 'd' });
});

test('they fire too where a session plays the replica, and it is found where they are switched off', async () => {
  const { client, identities } = await createDdlSource();
  await client.query(
    'SET session_replication_role = replica; CREATE TABLE quiet (id int); RESET session_replication_role',
  );
  expect(await identities()).toEqual({ quiet: 'f' });
  expect(checkDdl(await inspectDdl(client)).map(({ id, verdict }) => [id, verdict])).toEqual([
    ['ddl-triggers', 'ok'],
  ]);
  await client.query('ALTER EVENT TRIGGER bemi_ddl_a_identity ENABLE');
  const [disabled] = checkDdl(await inspectDdl(client));
  expect(disabled).toMatchObject({
    verdict: 'warning',
    evidence: expect.stringContaining('bemi_ddl_a_identity: origin'),
  });
  for (const sql of disabled?.sql ?? []) await client.query(sql);
  expect(checkDdl(await inspectDdl(client))).toMatchObject([{ verdict: 'ok' }]);
  if (serverMajor() < 17) return;
  await client.query('SET event_triggers = off');
  expect(checkDdl(await inspectDdl(client))).toMatchObject([
    { verdict: 'warning', title: 'Event triggers are switched off' },
  ]);
});

// As on a hosted server, where the administrator may make event triggers and is no superuser.
test('they work with functions of a role that is no superuser', async () => {
  const { database, client, identities, messages, warnings } = await createDdlSource();
  const admin = await makeTestRole(database, client, 'LOGIN');
  const app = await makeTestRole(database, client, 'LOGIN');
  await applyPlan(client, planDdlRemoval(await inspectDdl(client)));
  await client.query(
    `GRANT CREATE ON DATABASE ${database.name} TO ${admin}; GRANT CREATE ON SCHEMA public TO ${app}`,
  );
  const steps = planDdl(await inspectDdl(client));
  await asTestRole(database, admin, (other) =>
    applyPlan(
      other,
      steps.filter(({ id }) => id === 'ddl functions'),
    ),
  );
  await applyPlan(
    client,
    steps.filter(({ id }) => id === 'ddl triggers'),
  );
  expect(planDdl(await inspectDdl(client))).toEqual([]);
  const seen: string[] = [];
  await asTestRole(database, app, async (other) => {
    other.on('notice', ({ message }) => seen.push(message ?? ''));
    await other.query('CREATE TABLE of_app (id int); CREATE TABLE of_query AS SELECT 1 AS id');
    await other.query('ALTER TABLE of_app ADD COLUMN v text; DROP TABLE of_query');
  });
  expect([seen, warnings]).toEqual([[], []]);
  expect(await identities()).toEqual({ of_app: 'f' });
  if (!streams) return;
  expect(said(await messages())).toEqual([
    ...['command ALTER TABLE of_app set_identity', 'command CREATE TABLE of_app'],
    ...['command ALTER TABLE of_query set_identity', 'command CREATE TABLE AS of_query'],
    ...['command ALTER TABLE of_app', 'drop DROP TABLE of_query'],
  ]);
});

// The four ways in which the guide's trigger fails.
test('where the event trigger of the guides fails, this one works', async () => {
  const { database, client, identities, warnings } = await createDdlSource();
  const role = await makeTestRole(database, client, 'LOGIN');
  await client.query(`
    CREATE TABLE of_admin (id int PRIMARY KEY);
    ALTER TABLE of_admin REPLICA IDENTITY DEFAULT; -- so that the guide's trigger would want to alter it
    CREATE SCHEMA app;
    GRANT CREATE, USAGE ON SCHEMA app TO ${role}; GRANT CREATE ON SCHEMA public TO ${role}`);
  const setUp = `
    CREATE TABLE by_other (id int);
    CREATE TEMP TABLE temporary_by_other (id int);
    SET search_path = app; CREATE TABLE elsewhere (id int); SET search_path = ''; CREATE TABLE app.nowhere (id int);
    CREATE TABLE app.as_query AS SELECT 1 AS id; SELECT 1 AS id INTO app.selected;
    UPDATE app.as_query SET id = 2; UPDATE app.selected SET id = 2;`;
  await asTestRole(database, role, (other) => other.query(setUp));
  expect(await identities()).toEqual({ by_other: 'f', of_admin: 'd' });
  expect(await identities('app')).toEqual({ elsewhere: 'f', nowhere: 'f', as_query: 'f', selected: 'f' });
  expect(warnings).toEqual([]);

  await applyPlan(client, planDdlRemoval(await inspectDdl(client)));
  await client.query(
    `DROP SCHEMA app CASCADE; DROP TABLE by_other; CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO ${role}`,
  );
  await client.query(guideTrigger);
  expect((await inspectDdl(client)).hasGuideTrigger).toBe(true);
  await asTestRole(database, role, async (other) => {
    await expect(other.query('CREATE TABLE app.by_other (id int)')).rejects.toThrow(
      'must be owner of table of_admin',
    );
    await expect(other.query('CREATE TEMP TABLE temporary_by_other (id int)')).rejects.toThrow(
      'must be owner',
    );
  });
  await expect(client.query(`SET search_path = app; CREATE TABLE elsewhere (id int)`)).rejects.toThrow(
    '_bemi_set_replica_identity',
  );
  await client.query('RESET search_path; CREATE TABLE as_query AS SELECT 1 AS id');
  await expect(client.query('UPDATE as_query SET id = 2')).rejects.toThrow('replica identity');
});

test('an error in a function is a warning, and the statement succeeds', async () => {
  const { database, client, warnings, messages, identities } = await createDdlSource();
  const role = await makeTestRole(database, client, 'LOGIN');
  await client.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
  // What each of them calls is made to fail, in a way of its own.
  await client.query(`
    CREATE OR REPLACE FUNCTION bemi_ddl.table_state(relation oid) RETURNS json LANGUAGE sql AS $$ SELECT to_json(1 / 0) $$`);
  if (streams)
    await client.query(`CREATE OR REPLACE FUNCTION bemi_ddl.emit(event text, tag text, objects json, part integer, via text) RETURNS void
      LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$`);
  await client.query('CREATE TABLE first (id int); ALTER TABLE first ALTER id TYPE bigint; DROP TABLE first');
  expect(warnings.length).toBe(streams ? 5 : 0);
  expect(streams ? await messages() : []).toEqual([]);

  await client.query('DROP FUNCTION bemi_ddl.table_state(oid)');
  await asTestRole(database, role, (other) =>
    other.query('CREATE TABLE second (id int); CREATE TABLE third AS SELECT 1 AS id'),
  );
  expect(await identities()).toEqual({ second: 'f', third: 'f' });

  // The identity can't be set: the schema of the catalog is not the matter, the table's own trigger is.
  await client.query(`CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
      IF tg_tag = 'ALTER TABLE' THEN RAISE EXCEPTION 'no'; END IF; END $$;
    CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()`);
  warnings.length = 0;
  await client.query('CREATE TABLE fourth (id int PRIMARY KEY)');
  expect(warnings[0]).toContain('could not set the replica identity of public.fourth');
  expect(await identities()).toMatchObject({ fourth: 'd' });
});

test.runIf(serverMajor() >= 18)(
  'FULL is not given where it would break UPDATE, and taken back where it begins to',
  async () => {
    const { client, identities, warnings } = await createDdlSource();
    await client.query(`
    CREATE TABLE virtual (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL);
    CREATE TABLE stored (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
    CREATE TABLE later (id int PRIMARY KEY);
    INSERT INTO virtual VALUES (1); INSERT INTO stored VALUES (1); INSERT INTO later VALUES (1);
    ALTER TABLE later ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) VIRTUAL;
    UPDATE virtual SET id = 2; UPDATE stored SET id = 2; UPDATE later SET id = 2`);
    expect(await identities()).toEqual({ virtual: 'd', stored: 'd', later: 'd' });
    expect(warnings).toEqual([]);
    await client.query('CREATE TABLE hopeless (id int, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL)');
    expect(warnings[0]).toContain('primary key');
    await client.query('ALTER PUBLICATION everything SET (publish_generated_columns = stored)');
    await client.query(
      'CREATE TABLE published (id int, twice int GENERATED ALWAYS AS (id * 2) STORED); UPDATE published SET id = 2',
    );
    expect(await identities()).toMatchObject({ published: 'f' });
  },
);

test.runIf(streams)('messages say what became of tables, in the order of the statements', async () => {
  const { database, client, messages, warnings } = await createDdlSource();
  const role = await makeTestRole(database, client, 'LOGIN');
  await client.query(
    `CREATE TABLE visit (day date, "Note ""x""" text, id bigserial, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
  );
  const made = await messages();
  expect(said(made)).toEqual(['command ALTER TABLE visit set_identity', 'command CREATE TABLE visit']);
  const { rows } = await client.query(`SELECT 'visit'::regclass::oid::text AS oid`);
  expect(made[1]).toMatchObject({
    version: 1,
    statement: expect.stringMatching(/^CREATE TABLE visit .*RANGE \(day\)$/),
    session_user: 'postgres',
    objects: [
      {
        ...{ kind: 'partitioned table', schema: 'public', name: 'visit', oid: Number(rows[0].oid) },
        ...{ persistence: 'permanent', replica_identity: 'full', primary_key: ['id', 'day'] },
        columns: [
          { name: 'day', type: 'date', type_oid: 1082, type_modifier: -1, not_null: true },
          { name: 'Note "x"', type: 'text', type_oid: 25, type_modifier: -1 },
          { name: 'id', type: 'bigint', type_oid: 20, type_modifier: -1, not_null: true },
        ],
      },
    ],
  });

  const cases: [sql: string, ...expected: string[]][] = [
    [
      `CREATE TABLE visit_1 (LIKE visit INCLUDING ALL)`,
      'command ALTER TABLE visit_1 set_identity',
      'command CREATE TABLE visit_1',
    ],
    [
      `ALTER TABLE visit ATTACH PARTITION visit_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')`,
      'command ALTER TABLE visit',
    ],
    ['ALTER TABLE visit DETACH PARTITION visit_1 CONCURRENTLY', 'command ALTER TABLE visit'],
    ['ALTER TABLE visit_1 SET UNLOGGED', 'rewrite ALTER TABLE visit_1', 'command ALTER TABLE visit_1'],
    [
      `ALTER TABLE visit_1 ADD COLUMN a float DEFAULT random()`,
      'rewrite ALTER TABLE visit_1',
      'command ALTER TABLE visit_1',
    ],
    ['ALTER TABLE visit_1 RENAME COLUMN a TO b', 'command ALTER TABLE visit_1'],
    ['ALTER TABLE visit_1 DROP COLUMN b', 'command ALTER TABLE visit_1'],
    ['ALTER INDEX visit_1 RENAME TO visit_one', 'command ALTER INDEX visit_one'],
    ['CREATE TEMP TABLE t (id int); ALTER TABLE t ADD COLUMN x int; DROP TABLE t'],
    ['CREATE INDEX CONCURRENTLY ON visit_one (day); CREATE VIEW v AS SELECT 1; DROP VIEW v'.split(';')[0]!],
    [
      `CREATE TYPE mood AS ENUM ('ok'); ALTER TABLE visit_one ADD COLUMN mood mood`,
      'command ALTER TABLE visit_one',
    ],
    ['DROP TYPE mood CASCADE', 'drop DROP TYPE public.visit_one.mood'],
    [
      'CREATE TYPE place AS (street text); ALTER TYPE place ADD ATTRIBUTE town text',
      'command ALTER TYPE public.place',
    ],
    ["ALTER PUBLICATION everything SET (publish = 'insert')", 'command ALTER PUBLICATION everything'],
    [
      'CREATE PUBLICATION one FOR TABLE visit; ALTER PUBLICATION one DROP TABLE visit; DROP PUBLICATION one',
      'command CREATE PUBLICATION one',
      'drop ALTER PUBLICATION public.visit in publication one',
      'drop DROP PUBLICATION one',
    ],
    [
      'CREATE SCHEMA app; ALTER TABLE visit_one SET SCHEMA app; ALTER SCHEMA app RENAME TO app2',
      'command ALTER TABLE visit_one',
      'command ALTER SCHEMA app2',
    ],
    ['DROP SCHEMA app2 CASCADE', 'drop DROP SCHEMA app2 visit_one'],
    ['DROP TABLE visit', 'drop DROP TABLE visit'],
    ['BEGIN; CREATE TABLE undone (id int); ROLLBACK'],
    [`CREATE ROLE ${role}_x PASSWORD 'x'; DROP ROLE ${role}_x`],
  ];
  for (const [sql, ...expected] of cases) {
    await client.query(sql);
    expect([sql, ...said(await messages())]).toEqual([sql, ...expected]);
  }
  expect(warnings).toEqual([]);

  await client.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
  await asTestRole(database, role, async (other) => {
    await other.query('CREATE TABLE of_other (id int)');
    await other.query('ALTER TABLE of_other ADD COLUMN x int; DROP TABLE of_other');
  });
  const ofOther = await messages();
  expect(said(ofOther)).toEqual([
    'command ALTER TABLE of_other set_identity',
    'command CREATE TABLE of_other',
    'command ALTER TABLE of_other',
    'drop DROP TABLE of_other',
  ]);
  expect(ofOther.map((message) => message.session_user)).toEqual(Array(4).fill(role));
});

test.runIf(streams)(
  'a statement is cut, withheld where it may hold a password, or left out; many objects are told in parts',
  async () => {
    const { client, messages } = await createDdlSource();
    await client.query('CREATE TABLE t (id int, password text)');
    expect((await messages())[1]).toMatchObject({ statement: 'CREATE TABLE t (id int, password text)' });
    const secrets = [
      `CREATE ROLE ddl_secret PASSWORD 's3cret'; ALTER TABLE t ADD COLUMN a1 int; DROP ROLE ddl_secret`,
      `CREATE ROLE ddl_secret PASSWORD /* * */ -- x\n $$s3cret$$; ALTER TABLE t ADD COLUMN a2 int; DROP ROLE ddl_secret`,
      `SELECT 'postgres://app:s3cret@host/db'; ALTER TABLE t ADD COLUMN a3 int`,
      `SELECT 'host=h password=s3cret'; ALTER TABLE t ADD COLUMN a4 int`,
    ];
    for (const secret of secrets) await client.query(secret);
    const withheld = await messages();
    expect(withheld.map((message) => message.statement_withheld)).toEqual([true, true, true, true]);
    expect(JSON.stringify(withheld)).not.toContain('s3cret');

    await client.query(`ALTER TABLE t ADD COLUMN b int /* ${'x'.repeat(20_000)} */`);
    const [cut] = await messages();
    expect([cut?.statement?.length, cut?.statement_cut]).toEqual([10_000, true]);

    await client.query(
      `CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TEMP TABLE x%s (id int)', i); END LOOP; END $$`,
    );
    await client.query(
      `DO $$ BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TABLE many.t%s (id int)', i); END LOOP; END $$`,
    );
    await messages();
    await client.query('DROP SCHEMA many CASCADE');
    const parts = await messages();
    expect(parts.map(({ part, statement, objects }) => [part, statement, objects.length])).toEqual([
      [undefined, 'DROP SCHEMA many CASCADE', 100],
      [2, undefined, 100],
      [3, undefined, 51],
    ]);

    await applyPlan(client, planDdl(await inspectDdl(client), { statements: false }));
    await client.query('DROP TABLE t');
    const [last] = await messages();
    expect(last).toMatchObject({ event: 'drop' });
    expect(last).not.toHaveProperty('statement');
  },
);

test.runIf(streams)('a migration says it itself where there are no event triggers', async () => {
  const { client, messages, identities } = await createDdlSource();
  for (const { name } of (await inspectDdl(client)).triggers)
    await client.query(`DROP EVENT TRIGGER ${name}`);
  await client.query('CREATE TABLE a (id int); CREATE TABLE b (id int)');
  expect(await messages()).toEqual([]);
  await client.query(`BEGIN; ALTER TABLE a ADD COLUMN x int; SELECT bemi_ddl.record_tables('a'); COMMIT`);
  expect(said(await messages())).toEqual(['call SELECT a']);
  const { rows } = await client.query('SELECT bemi_ddl.record_tables() AS "table"');
  expect([rows, said(await messages())]).toEqual([[{ table: 'b' }], ['call SELECT b']]);
  expect(await identities()).toEqual({ a: 'f', b: 'f' });
});

/** Guide 000, verbatim. */
const guideTrigger = `
CREATE OR REPLACE PROCEDURE _bemi_set_replica_identity() AS $$ DECLARE current_tablename TEXT;
BEGIN
  FOR current_tablename IN SELECT tablename FROM pg_tables LEFT JOIN pg_class ON relname = tablename WHERE schemaname = 'public' AND relkind != 'f' AND relreplident != 'f' LOOP
    EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', current_tablename);
  END LOOP;
END $$ LANGUAGE plpgsql;
CREATE OR REPLACE FUNCTION _bemi_set_replica_identity_func() RETURNS event_trigger AS $$
BEGIN CALL _bemi_set_replica_identity(); END $$ LANGUAGE plpgsql;
CREATE EVENT TRIGGER _bemi_set_replica_identity_trigger ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
EXECUTE FUNCTION _bemi_set_replica_identity_func();`;
