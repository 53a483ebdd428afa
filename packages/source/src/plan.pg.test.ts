import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { asTestRole, testRoleName } from '../test/test-role.ts';
import { applyPlan } from './apply-plan.ts';
import { inspect } from './inspect.ts';
import { plan } from './plan.ts';
import { PlanError, type PlanStep, printableSql } from './plan-step.ts';
import type { Wanted } from './source-snapshot.ts';

const wantAll = (database: TestDatabase): Wanted => ({
  slot: `slot_${database.name}`,
  publication: 'bemi_publication',
  tables: 'all',
});

async function planNow(client: pg.Client, wanted: Wanted): Promise<readonly PlanStep[]> {
  const { slot, publication, role } = wanted;
  return plan(await inspect(client, { slot, publication, ...(role && { role }) }), wanted);
}

const kinds = (steps: readonly PlanStep[]) => [...new Set(steps.map((step) => step.kind))];

async function identitiesOf(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query(
    `SELECT relname, relreplident FROM pg_class
      WHERE relkind IN ('r', 'p') AND relnamespace = ANY (ARRAY(
              SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'))`,
  );
  return Object.fromEntries(rows.map((row) => [row.relname, row.relreplident]));
}

test('prepares a source in the order that is safe, and then has nothing left to do', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE SCHEMA "Clinic.North"; CREATE SCHEMA bemi; CREATE TABLE bemi.change_log (id int PRIMARY KEY);
    CREATE TABLE "Patient" (id text PRIMARY KEY, name text);
    CREATE TABLE "Clinic.North"."say ""hi"" 🩺; --" (id int);
    CREATE UNLOGGED TABLE cache (id int);
    CREATE TABLE visit (day date, id int) PARTITION BY RANGE (day);
    CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO visit VALUES ('2026-05-05', 1);
    INSERT INTO "Clinic.North"."say ""hi"" 🩺; --" VALUES (1);
  `);
  const role = testRoleName(database, `Role "x" 🩺 `);
  const password = `s3'cr\\et"`;
  const wanted: Wanted = { ...wantAll(database), role: { name: role, password } };

  const steps = await planNow(client, wanted);
  expect(kinds(steps)).toEqual(['identity', 'role', 'publication', 'slot']);
  expect(new Set(steps.map((step) => step.id)).size).toBe(steps.length);
  expect(steps.map(printableSql).join('\n')).not.toContain('s3');

  const done: string[] = [];
  await applyPlan(client, steps, {
    onProgress: ({ step, state }) => {
      if (state === 'done') done.push(step.id);
    },
  });
  expect(done).toEqual(steps.map((step) => step.id));
  expect(await planNow(client, wanted)).toEqual([]);

  expect(await identitiesOf(client)).toEqual({
    Patient: 'f',
    'say "hi" 🩺; --': 'f',
    visit: 'f',
    visit_2026: 'f',
    cache: 'd',
    change_log: 'd',
  });
  // Tables without a primary key can still be updated.
  await client.query(`UPDATE visit SET id = 2; UPDATE "Clinic.North"."say ""hi"" 🩺; --" SET id = 2`);

  // The role reads what is there and what comes, and writes nothing.
  await client.query('CREATE TABLE later (id int PRIMARY KEY)');
  await client.query(`ALTER ROLE "${role.replaceAll('"', '""')}" PASSWORD 'secret'`);
  await asTestRole(database, role, async (reader) => {
    await reader.query('SELECT * FROM "Patient", later');
    await reader.query('SELECT * FROM "Clinic.North"."say ""hi"" 🩺; --"');
    await expect(reader.query('DELETE FROM "Patient"')).rejects.toMatchObject({ code: '42501' });
    const { rows } = await reader.query(
      'SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, $2, $3, $4, $5)',
      [wanted.slot, ...['proto_version', '1', 'publication_names', wanted.publication]],
    );
    expect(Number(rows[0].count)).toBeGreaterThan(0);
  });

  // A table made later lacks its identity alone.
  expect((await planNow(client, wanted)).map((step) => step.sql)).toEqual([
    'ALTER TABLE "public"."later" REPLICA IDENTITY FULL;',
  ]);
});

test("goes on from what the guide's SQL leaves, and cures the tables that it broke", async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const wanted = wantAll(database);
  await client.query('CREATE TABLE keyless (id int); INSERT INTO keyless VALUES (1)');
  await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [wanted.slot]);
  await client.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  await expect(client.query('UPDATE keyless SET id = 2')).rejects.toMatchObject({ code: '55000' });

  await applyPlan(client, await planNow(client, wanted));
  await client.query('UPDATE keyless SET id = 2');
  expect(await planNow(client, wanted)).toEqual([]);
});

test('an existing role gets only what it lacks, for each owner of tables', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const owner = testRoleName(database, 'owner');
  const role = testRoleName(database);
  await client.query(`
    CREATE ROLE ${owner}; CREATE ROLE ${role};
    REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO ${owner};
    CREATE TABLE t (id int); ALTER TABLE t OWNER TO ${owner};
  `);
  const wanted: Wanted = { ...wantAll(database), role: { name: role, password: 'not for an existing one' } };

  const steps = (await planNow(client, wanted)).filter((step) => step.kind === 'role');
  expect(steps.map((step) => step.sql)).toEqual([
    `ALTER ROLE "${role}" WITH LOGIN;`,
    `ALTER ROLE "${role}" WITH REPLICATION;`,
    `GRANT USAGE ON SCHEMA "public" TO "${role}";`,
    `GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "${role}";`,
    `ALTER DEFAULT PRIVILEGES FOR ROLE "${owner}" IN SCHEMA "public" GRANT SELECT ON TABLES TO "${role}";`,
  ]);
  await applyPlan(client, steps);
  await client.query(`SET ROLE ${owner}; CREATE TABLE later (id int); RESET ROLE`);
  await client.query(`SET ROLE ${role}; SELECT * FROM later; RESET ROLE`);
  expect((await planNow(client, wanted)).filter((step) => step.kind === 'role')).toEqual([]);
});

test('an administrator who is no superuser grants what is its own, and nothing of what is the provider’s', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const admin = testRoleName(database, 'admin');
  const role = testRoleName(database);
  await client.query(`
    CREATE ROLE ${admin} LOGIN CREATEROLE REPLICATION PASSWORD 'secret'; CREATE ROLE ${role};
    CREATE SCHEMA auth; CREATE TABLE auth.users (id int PRIMARY KEY);
    CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE others (id int PRIMARY KEY);
    ALTER TABLE a OWNER TO ${admin}; ALTER TABLE b OWNER TO ${admin};
  `);
  const wanted: Wanted = { ...wantAll(database), role: { name: role } };
  await asTestRole(database, admin, async (own) => {
    const steps = (await planNow(own, wanted)).filter(({ id }) => /select|usage|default/.test(id));
    expect(steps.map((step) => step.sql)).toEqual([
      `GRANT SELECT ON "public"."a", "public"."b" TO "${role}";`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE "${admin}" IN SCHEMA "public" GRANT SELECT ON TABLES TO "${role}";`,
    ]);
    await applyPlan(own, steps);
  });
});

test('selected tables, a partitioned one with its partitions', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY);
    CREATE TABLE visit (day date, id int) PARTITION BY RANGE (day);
    CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
      PARTITION BY LIST (id);
    CREATE TABLE visit_2026_1 PARTITION OF visit_2026 FOR VALUES IN (1);
  `);
  const select = (...names: string[]): Wanted => ({
    ...wantAll(database),
    tables: names.map((name) => ({ schema: 'public', name })),
    role: { name: role },
  });
  const role = testRoleName(database);

  await applyPlan(client, await planNow(client, select('a', 'visit')));
  expect(await planNow(client, select('a', 'visit'))).toEqual([]);
  expect(await planNow(client, select('visit_2026_1', 'visit_2026'))).toEqual([
    expect.objectContaining({ id: 'role select public' }),
  ]);
  expect(await identitiesOf(client)).toEqual({
    ...{ a: 'f', b: 'd', c: 'd' },
    ...{ visit: 'f', visit_2026: 'f', visit_2026_1: 'f' },
  });
  const { rows } = await client.query(
    "SELECT tablename FROM pg_publication_tables WHERE pubname = 'bemi_publication' ORDER BY 1",
  );
  expect(rows.map((row) => row.tablename)).toEqual(['a', 'visit_2026_1']);

  const more = await planNow(client, select('a', 'b'));
  expect(more.map((step) => step.sql)).toEqual([
    'ALTER TABLE "public"."b" REPLICA IDENTITY FULL;',
    `GRANT SELECT ON "public"."b" TO "${role}";`,
    'ALTER PUBLICATION "bemi_publication" ADD TABLE "public"."b";',
  ]);
  await applyPlan(client, more);
  expect(await planNow(client, select('a', 'b'))).toEqual([]);
});

test('a publication that hides changes is put right', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`CREATE PUBLICATION bemi_publication FOR ALL TABLES
                      WITH (publish = 'insert', publish_via_partition_root = true)`);
  await applyPlan(client, await planNow(client, wantAll(database)));
  expect((await inspect(client, wantAll(database))).publication).toMatchObject({
    operations: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'],
    isViaPartitionRoot: false,
  });
});

test('generated columns never make an UPDATE fail', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const wanted = wantAll(database);
  await client.query(`
    CREATE TABLE stored (id int, twice int GENERATED ALWAYS AS (id * 2) STORED);
    CREATE TABLE virtual (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL);
    INSERT INTO stored VALUES (1); INSERT INTO virtual VALUES (1);
    CREATE PUBLICATION bemi_publication FOR ALL TABLES;
    ALTER TABLE virtual REPLICA IDENTITY FULL; -- as the guide says
  `);
  await expect(client.query('UPDATE virtual SET id = 2')).rejects.toMatchObject({ code: '42P10' });

  const steps = await planNow(client, wanted);
  expect(steps.map((step) => step.id)).toEqual([
    'publication generated columns',
    ...['identity public.stored', 'identity public.virtual'],
    'slot create',
  ]);
  for (const step of steps) {
    await applyPlan(client, [step]);
    if (step.id !== 'publication generated columns') await client.query('UPDATE stored SET id = id + 1');
  }
  await client.query('UPDATE virtual SET id = 2; DELETE FROM virtual; DELETE FROM stored');
  expect(await planNow(client, wanted)).toEqual([]);

  // The same from the start, and with a publication of somebody else's that leaves generated columns out.
  await client.query('DROP PUBLICATION bemi_publication; CREATE PUBLICATION other FOR TABLE stored');
  await client.query('ALTER TABLE stored ADD PRIMARY KEY (id)');
  await applyPlan(client, await planNow(client, wanted));
  await client.query('INSERT INTO stored VALUES (1); UPDATE stored SET id = 2; DELETE FROM stored');
  expect(await planNow(client, wanted)).toEqual([]);
});

test.each<[string, string, Wanted['tables'], PlanError['code']]>([
  [
    'a table that would refuse UPDATE',
    'CREATE TABLE t (id int, v int GENERATED ALWAYS AS (id) VIRTUAL)',
    'all',
    'unidentifiable-table',
  ],
  [
    'an unlogged table',
    'CREATE UNLOGGED TABLE t (id int)',
    [{ schema: 'public', name: 't' }],
    'unpublishable-table',
  ],
  [
    'a table in the wrong case',
    'CREATE TABLE "T" (id int)',
    [{ schema: 'public', name: 't' }],
    'unknown-table',
  ],
  ['no table', 'CREATE TABLE t (id int)', [], 'no-tables'],
])('refuses %s, and says what to do', async (_, sql, tables, code) => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(sql);
  const snapshot = await inspect(client, wantAll(database));
  let refusal: unknown;
  try {
    plan(snapshot, { ...wantAll(database), tables });
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(PlanError);
  expect(refusal).toMatchObject({ code });
  expect((refusal as PlanError).fix).not.toBe('');
});

test("an extension's table is left alone as long as it can be updated", async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE EXTENSION hstore;
    CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE keyless (id int);
    ALTER EXTENSION hstore ADD TABLE keyed; ALTER EXTENSION hstore ADD TABLE keyless;
  `);
  const steps = await planNow(client, wantAll(database));
  expect(steps.filter((step) => step.kind === 'identity').map((step) => step.id)).toEqual([
    'identity public.keyless',
  ]);
});
