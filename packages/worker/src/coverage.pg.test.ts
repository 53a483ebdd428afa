import { applyPlan } from '@bemi-db/source/apply-plan';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { planDdlRemoval } from '@bemi-db/source/ddl/plan-ddl';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { missingFrom } from '@bemi-db/trail/coverage/coverage-document';
import { readCoverage } from '@bemi-db/trail/coverage/read-coverage';
import { request } from '@bemi-db/trail/inbox';
import { expect, onTestFinished, test } from 'vitest';
import { createDdlClinic, type DdlClinic } from '../test/ddl-clinic.ts';
import { createWorker, type Worker, type WorkerOptions } from './create-worker.ts';

/** What the log says that is not recorded, by table. */
async function missing({ trail }: DdlClinic): Promise<Record<string, readonly string[]>> {
  const recorded = await readCoverage(trail, 0);
  if (!recorded) throw new Error('The log has no coverage, or a broken one');
  const { source, tables } = recorded.coverage;
  return Object.fromEntries([...tables.values()].map((table) => [table.name, missingFrom(table, source)]));
}

/** What each `coverage` entry is, in a word. */
async function said({ trail }: DdlClinic): Promise<string[]> {
  const { rows } = await trail.query<{ line: string }>(
    `SELECT concat_ws(' ', payload ->> 'event', (SELECT string_agg(t ->> 'name', ',') FROM json_array_elements(payload -> 'tables') t),
                      'gone ' || json_array_length(payload -> 'gone'), CASE WHEN payload -> 'source' IS NOT NULL THEN 'source' END) AS line
       FROM bemi.event_log WHERE kind = 'coverage' ORDER BY sequence`,
  );
  return rows.map(({ line }) => line);
}

/** Records until the test ends, looking all the time. */
function watching(
  clinic: DdlClinic,
  options: Partial<WorkerOptions> = {},
): { worker: Worker; stop(): Promise<void> } {
  const worker = createWorker({ ...clinic.targets, coverageIntervalMs: 100, ...options });
  const abort = new AbortController();
  const running = worker.run({ signal: abort.signal });
  const stop = async () => {
    abort.abort();
    await running;
  };
  onTestFinished(stop);
  return { worker, stop };
}

test('what is recorded is said at the start, and what has changed when it has', async () => {
  const clinic = await createDdlClinic();
  const { sql, record, verify } = clinic;
  await sql.query(`
    CREATE TABLE whole (id int PRIMARY KEY);
    CREATE TABLE parted (id int) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9);
    CREATE TABLE key_only (id int PRIMARY KEY); ALTER TABLE key_only REPLICA IDENTITY DEFAULT;
    CREATE TABLE no_key (id int); ALTER TABLE no_key REPLICA IDENTITY DEFAULT;
    CREATE UNLOGGED TABLE cache (id int); CREATE TEMP TABLE temporary (id int);
    CREATE TABLE generated (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)`);
  await record({ coverageIntervalMs: 1e9 });
  expect(await said(clinic)).toEqual([expect.stringMatching(/^whole .*whole.* source$/)]);
  const publishesGenerated = serverMajor() >= 18;
  expect(await missing(clinic)).toEqual({
    ...{ whole: [], parted: [], part: [] },
    key_only: ['of old rows only the key'],
    no_key: ['no replica identity: UPDATE and DELETE fail'],
    cache: ['UNLOGGED: nothing is recorded'],
    generated: publishesGenerated ? expect.anything() : ['without twice'],
  });
  await record({ coverageIntervalMs: 1e9 });
  expect(await said(clinic)).toHaveLength(2); // at each start it is said again that it is so
  expect((await said(clinic))[1]).toBe('unchanged');
  await sql.query('ALTER TABLE whole ADD COLUMN v text; DROP TABLE no_key; CREATE TABLE young (id int)');
  await record({ coverageIntervalMs: 1e9 });
  expect((await said(clinic))[2]).toBe('changed whole,young gone 1');
  expect(await missing(clinic)).toMatchObject({ whole: [], young: [] });
  await verify();
});

test.runIf(serverMajor() >= 14)(
  'a loss that no DDL entry explains is told of, until it is cured',
  async () => {
    const clinic = await createDdlClinic();
    const { sql, verify } = clinic;
    await sql.query(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY)`,
    );
    const { worker, stop } = watching(clinic);
    const losses = () => worker.status().coverageLosses;
    const soon = { timeout: 20_000 };
    await expect.poll(() => said(clinic), soon).not.toEqual([]);
    // Explained: the entries of DDL say so.
    await sql.query('ALTER TABLE a SET UNLOGGED; DROP TABLE b');
    await expect.poll(() => missing(clinic), soon).toEqual({ a: ['UNLOGGED: nothing is recorded'], c: [] });
    await sql.query('INSERT INTO c VALUES (1)');
    await expect.poll(() => worker.status().changes, soon).toBe(1);
    expect(losses()).toEqual([]);
    // Not explained: the triggers are switched off, which fires none of them; and then a table goes.
    await sql.query('ALTER EVENT TRIGGER bemi_ddl_command DISABLE');
    await expect.poll(losses, soon).toEqual(['DDL may not be recorded: bemi_ddl_command is disabled']);
    await sql.query('ALTER TABLE c SET UNLOGGED');
    await sql.query('ALTER EVENT TRIGGER bemi_ddl_command ENABLE ALWAYS');
    await expect.poll(losses, soon).toEqual([]); // the rewrite was reported
    // Nor by DDL of before: what it did is seen, and explains nothing that comes later.
    await sql.query('CREATE TABLE d (id int)');
    await expect.poll(() => missing(clinic), soon).toMatchObject({ d: [] });
    await sql.query('INSERT INTO d VALUES (1)');
    await expect.poll(() => worker.status().changes, soon).toBe(2);
    await sql.query('CREATE TABLE e (id int)'); // another look
    await expect.poll(() => missing(clinic), soon).toMatchObject({ e: [] });
    await sql.query('BEGIN');
    for (const { sql: statement } of planDdlRemoval(await inspectDdl(sql))) await sql.query(statement);
    await sql.query('DROP TABLE d; COMMIT');
    const triggersGone = expect.stringContaining('DDL may not be recorded');
    await expect.poll(losses, soon).toEqual([triggersGone, 'public.d: the table is gone']);
    await sql.query('ALTER TABLE c SET LOGGED');
    await expect.poll(() => missing(clinic), soon).toMatchObject({ c: [] });
    await sql.query('DROP TABLE c');
    await expect
      .poll(losses, soon)
      .toEqual([triggersGone, 'public.d: the table is gone', 'public.c: the table is gone']);
    await stop();
    // Another process knows it by the entries: of a, b and c before, which DDL explained or put right, there is nothing.
    const next = watching(clinic);
    await expect
      .poll(() => next.worker.status().coverageLosses, soon)
      .toEqual([triggersGone, 'public.d: the table is gone', 'public.c: the table is gone']);
    // Until somebody has looked at it. What comes later is told of again.
    await request(clinic.trail, 0, 'attestation', { kind: 'coverage-review', by: 'ops', ref: 'ticket-1' });
    await expect.poll(() => next.worker.status().coverageLosses, soon).toEqual([]);
    await sql.query('ALTER TABLE e SET UNLOGGED');
    const onlyLater = ['public.e: UNLOGGED: nothing is recorded'];
    await expect.poll(() => next.worker.status().coverageLosses, soon).toEqual(onlyLater);
    await next.stop();
    const last = watching(clinic);
    await expect.poll(() => last.worker.status().coverageLosses, soon).toEqual(onlyLater);
    await last.stop();
    await verify();
  },
);

test.runIf(serverMajor() >= 15)(
  'a row filter, a column list and operations that are no longer published',
  async () => {
    const clinic = await createDdlClinic({
      prepare: `CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY);
      CREATE PUBLICATION bemi_publication FOR TABLE a, b`,
    });
    const { sql } = clinic;
    await applyPlan(sql, planDdlRemoval(await inspectDdl(sql)));
    const { worker } = watching(clinic);
    const losses = () => worker.status().coverageLosses;
    await expect.poll(() => said(clinic), { timeout: 20_000 }).not.toEqual([]);
    await sql.query(`ALTER TABLE a REPLICA IDENTITY DEFAULT;
    ALTER PUBLICATION bemi_publication SET TABLE a (id) WHERE (id > 5); ALTER PUBLICATION bemi_publication SET (publish = 'insert, update')`);
    await expect
      .poll(losses, { timeout: 20_000 })
      .toEqual([
        'publication bemi_publication no longer sends DELETE, TRUNCATE',
        'public.a: only rows where (id > 5); without v; of old rows only the key',
        'public.b: not published: nothing is recorded',
      ]);
    await sql.query(`ALTER TABLE a REPLICA IDENTITY FULL;
    ALTER PUBLICATION bemi_publication SET TABLE a, b; ALTER PUBLICATION bemi_publication SET (publish = 'insert, update, delete, truncate')`);
    await expect.poll(losses, { timeout: 20_000 }).toEqual([]);
  },
);

test('many tables are said in parts, and a change of one in one', async () => {
  const clinic = await createDdlClinic();
  const { sql, trail, record } = clinic;
  await applyPlan(sql, planDdlRemoval(await inspectDdl(sql)));
  await sql.query(
    `DO $$ BEGIN FOR i IN 1..1100 LOOP EXECUTE format('CREATE TABLE t%s (id int)', i); END LOOP; END $$`,
  );
  await record({ coverageIntervalMs: 1e9 });
  const sizes = async () =>
    (
      await trail.query(`SELECT json_array_length(payload -> 'tables') AS n, payload ->> 'parts' AS parts FROM bemi.event_log
                         WHERE kind = 'coverage' AND payload ->> 'event' <> 'unchanged' ORDER BY sequence`)
    ).rows;
  expect(await sizes()).toEqual([500, 500, 100].map((n) => ({ n, parts: '3' })));
  await sql.query('ALTER TABLE t7 ADD COLUMN v int; DROP TABLE t8');
  await record({ coverageIntervalMs: 1e9 });
  expect((await sizes()).slice(3)).toEqual([{ n: 1, parts: '1' }]);
  expect(Object.keys(await missing(clinic))).toHaveLength(1099);
});
