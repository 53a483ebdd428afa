import { createDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { makeTestRole } from '../test/test-role.ts';
import { applyPlan } from './apply-plan.ts';
import { checkContext } from './check-context.ts';
import { triggersUp } from './context-triggers.ts';
import type { Finding } from './finding.ts';
import { inspect } from './inspect.ts';
import { inspectContext } from './inspect-context.ts';
import { plan } from './plan.ts';
import type { Wanted } from './source-snapshot.ts';
import type { TableName } from './table-name.ts';

async function createSource(tables: 'all' | readonly TableName[] | undefined) {
  const database = await createDatabase();
  const sql = await database.connect();
  await sql.query(`
    CREATE TABLE note (id int PRIMARY KEY);
    CREATE TABLE "Odd ""name" (id int PRIMARY KEY);
    CREATE TABLE visit (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE visit_low PARTITION OF visit FOR VALUES FROM (0) TO (10);
    CREATE UNLOGGED TABLE scratch (id int)`);
  const wanted: Wanted = { slot: `slot_${database.name}`, publication: 'bemi_publication', tables: 'all' };
  await applyPlan(sql, plan(await inspect(sql, wanted), wanted));
  if (tables) await sql.query(triggersUp({ kinds: ['context', 'actor'], tables }));
  const findings = async (client: pg.Client = sql) =>
    checkContext(await inspect(client, wanted), await inspectContext(client));
  return { database, sql, findings };
}

const short = (findings: readonly Finding[]) => findings.map(({ id, verdict }) => `${id}: ${verdict}`);
const good = ['emit-message: ok', 'context-triggers: ok', 'actor-triggers: ok'];

test('a source without triggers, with them, and with some is well; a role that may only connect sees it too', async () => {
  const none = await createSource(undefined);
  expect(short(await none.findings())).toEqual(good);
  expect((await none.findings())[1]!.title).toMatch(/^No triggers/);
  const all = await createSource('all');
  const role = await makeTestRole(all.database, all.sql, 'LOGIN');
  // The functions' schema holds no tables: setup has nothing to do with it.
  expect((await inspect(all.sql, { slot: 's', publication: 'p' })).schemas).toEqual(['public']);
  const [, context, actor] = await all.findings();
  expect(context).toMatchObject({ verdict: 'ok', evidence: 'on 4 of 4 tables' });
  expect(actor).toMatchObject({ verdict: 'ok', evidence: 'on 4 of 4 tables' });
  await all.sql.query(`CREATE TABLE visit_high PARTITION OF visit FOR VALUES FROM (10) TO (20)`);
  await all.sql.query(`SET ROLE ${role}`);
  expect(short(await all.findings())).toEqual(good);
  const some = await createSource([{ schema: 'public', name: 'visit' }]);
  await some.sql.query('CREATE TABLE later (id int)');
  expect((await some.findings())[1]).toMatchObject({
    verdict: 'ok',
    evidence: 'on 2 of 5 tables, not on public."Odd ""name", public.later, public.note',
  });
});

test('row triggers of the published clients are seen', async () => {
  const { sql, findings } = await createSource(undefined);
  await sql.query(`CREATE FUNCTION _bemi_row_trigger_func() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER _bemi_row_trigger_note BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION _bemi_row_trigger_func()`);
  expect(short(await findings())).toEqual([...good, 'row-triggers: ok']);
});

test('the number of the function that sends messages', async () => {
  const { sql } = await createSource(undefined);
  expect((await inspectContext(sql)).emitFunction).toMatch(
    /^pg_logical_emit_message\(boolean,text,text(,boolean)?\)$/,
  );
});

const emitFunction = async (sql: pg.Client) => (await inspectContext(sql)).emitFunction;

/** Each fault, made on a source that was well, and what names it. What is printed cures it. */
test.each<[string, (sql: pg.Client, role: string) => Promise<string>, string[]]>([
  ['a table is new', async () => 'CREATE TABLE later (id int)', ['context-triggers', 'actor-triggers']],
  [
    'a trigger is disabled',
    async () =>
      'ALTER TABLE "Odd ""name" DISABLE TRIGGER bemi_context; ALTER TABLE note ENABLE REPLICA TRIGGER bemi_actor',
    ['context-triggers', 'actor-triggers'],
  ],
  [
    'a role that writes may not send messages',
    async (sql, role) =>
      `GRANT INSERT ON note TO ${role}; REVOKE EXECUTE ON FUNCTION ${await emitFunction(sql)} FROM PUBLIC`,
    ['emit-message'],
  ],
  [
    'the owner of the triggers may not',
    async (sql, role) =>
      `GRANT CREATE ON SCHEMA bemi_context TO ${role}; ALTER FUNCTION bemi_context.emit_actor() OWNER TO ${role};
       REVOKE EXECUTE ON FUNCTION ${await emitFunction(sql)} FROM PUBLIC`,
    ['actor-triggers'],
  ],
])('%s: it is named, and what is printed cures it', async (_name, fault, expected) => {
  const { database, sql, findings } = await createSource('all');
  const role = await makeTestRole(database, sql, 'LOGIN');
  onTestFinished(async () => {
    await sql.query(`GRANT EXECUTE ON FUNCTION ${await emitFunction(sql)} TO PUBLIC`);
  });
  await sql.query(await fault(sql, role));
  const bad = (await findings()).filter(({ verdict }) => verdict !== 'ok');
  expect(short(bad)).toEqual(expected.map((id) => `${id}: warning`));
  for (const { fix, sql: statements } of bad) {
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) {
      expect(fix).toContain(statement);
      await sql.query(statement);
    }
  }
  expect(short(await findings())).toEqual(good);
});
