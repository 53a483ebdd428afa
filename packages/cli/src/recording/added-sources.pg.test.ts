import { parseConnectionString } from '@bemi-db/source/connection-string';
import { createDatabase } from '@bemi-db/test-kit/database';
import { addSource } from '@bemi-db/trail/added-sources/added-sources';
import { sealUrl, sourceKey } from '@bemi-db/trail/added-sources/sealed-url';
import { parseEncryptionKey } from '@bemi-db/worker/authenticity/sealed-key';
import { expect, test } from 'vitest';
import { firstAdmin } from '../../test/first-admin.ts';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

const patience = { timeout: 30_000, interval: 200 };
const password = 'hush-hush-4711';

test('a source that is added is recorded, changed and removed without a restart; its password is nowhere', async () => {
  const [source, other, audit] = [await createDatabase(), await createDatabase(), await createDatabase()];
  const [sql, otherSql, trail] = [await source.connect(), await other.connect(), await audit.connect()];
  const role = `adder_${source.name}`;
  await sql.query(
    `CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${password}'`,
  );
  await otherSql.query('CREATE TABLE u (id int PRIMARY KEY)');
  const environment = { BEMI_DESTINATION_URL: audit.url, BEMI_PORT: '0', BEMI_LOG_LEVEL: 'debug' };
  const folder = projectFolder();

  // Nothing to record yet: the worker alone has nothing to do, the dashboard has.
  expect(await runBemi(['worker'], environment, folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('No source database is configured'),
  });
  const bemi = startBemi(['start'], environment, folder);
  const { ask, origin } = await firstAdmin(bemi);
  expect(await bemi.untilPrinted('/sources"')).toContain('add one in the dashboard');
  expect((await fetch(`${origin}/readyz`)).status).toBe(200);
  await expect
    .poll(async () => (await ask('/sources')).json, patience)
    .toEqual({
      sources: [],
      canAdd: true,
      whyNot: null,
    });

  const connection = source.urlAs(role, password);
  const slot = `slot_${source.name}`;
  // Checked before it is added, and the worker will make what is missing.
  const checks = await ask('/source-checks', 'POST', { connection, slot });
  expect(checks.status).toBe(200);
  expect(checks.text).toContain(`The replication slot ${slot} will be made by the worker`);
  expect(checks.text).toContain('CREATE PUBLICATION');

  expect(await ask('/sources', 'POST', { connection: source.urlAs(role, 'wrong'), slot })).toMatchObject({
    status: 422,
    text: expect.stringContaining('source-unreachable'),
  });
  const added = await ask('/sources', 'POST', { name: 'clinic', connection, slot });
  expect(added).toMatchObject({
    status: 201,
    json: { name: 'clinic', origin: 'added', target: { role, database: source.name }, retentionDays: 2_192 },
  });
  const stateOf = async (name: string) =>
    ((await ask(`/sources/${name}`)).json as { readonly state?: string }).state;
  await expect.poll(() => stateOf('clinic'), patience).toBe('recording');
  await sql.query('INSERT INTO t VALUES (1)');
  const keys = async (log: string) => {
    const { json } = await ask(`/logs/${log}/entries?limit=5`);
    const { entries = [] } = json as { readonly entries?: readonly { readonly primaryKey: string }[] };
    return entries.map(({ primaryKey }) => primaryKey);
  };
  await expect.poll(() => keys('clinic'), patience).toEqual(['1']);
  expect((await fetch(`${origin}/readyz`)).status).toBe(200);
  expect(await (await fetch(`${origin}/metrics`)).text()).toContain('bemi_recording{log="clinic"} 1');
  // For a log that is there the worker makes no slot, whatever the database is called.
  const again = await ask('/source-checks', 'POST', { connection, slot: `${slot}_2`, name: 'clinic' });
  expect(again.text).not.toContain('will be made by the worker');

  // What is recorded of it, by rules that the worker puts into force and into the log.
  type Rules = { readonly sequence: number; readonly tables: readonly { readonly isRecorded: boolean }[] };
  const rules = { include: [], exclude: ['public.t'], ignore: [], redact: {} };
  const before = (await ask('/logs/clinic/rules')).json as Rules;
  expect(before).toMatchObject({ sequence: null, file: null, tables: [{ table: 't', isRecorded: true }] });
  const set = (wanted: object) =>
    ask('/logs/clinic/rules', 'PUT', { rules, reason: 'no records', ...wanted });
  expect(await set({ basedOn: null })).toMatchObject({
    status: 200,
    json: {
      rules,
      set: { by: 'ada@clinic.example', reason: 'no records' },
      tables: [{ table: 't', isRecorded: false }],
    },
  });
  expect(await set({ basedOn: null, rules: { ...rules, exclude: [] } })).toMatchObject({
    status: 409,
    text: expect.stringContaining('have changed meanwhile'),
  });
  expect((await set({ basedOn: null, reason: ' ' })).status).toBe(400);
  expect((await set({ basedOn: null, rules: { ...rules, exclude: ['a.b.c'] } })).status).toBe(422);
  await sql.query('INSERT INTO t VALUES (2)');
  const { sequence } = (await ask('/logs/clinic/rules')).json as Rules;
  expect((await set({ basedOn: sequence, rules: { ...rules, exclude: [] } })).status).toBe(200);
  await sql.query('INSERT INTO t VALUES (3)');
  await expect.poll(() => keys('clinic'), patience).toEqual(['3', '1']);

  // What another has can't be had.
  const refusal = async (body: object) => {
    const { status, json } = await ask('/sources', 'POST', { connection: other.url, ...body });
    return [status, (json as { readonly error?: { readonly code: string } }).error?.code];
  };
  expect(await refusal({ name: 'clinic', slot: 'another' })).toEqual([409, 'source-exists']);
  expect(await refusal({ name: 'other', slot })).toEqual([409, 'shared-slot']);
  expect(await refusal({ name: 'a/b' })).toEqual([400, 'bad-request']);

  // A wrong password is no reason not to add it: it waits, says why, and goes on once it is put right.
  const slotOfOther = `slot_${other.name}`;
  const wrong = { name: 'other', slot: slotOfOther, evenIfUnreachable: true };
  await ask('/sources', 'POST', { ...wrong, connection: other.urlAs('postgres', 'nope') });
  await expect
    .poll(async () => (await ask('/sources/other')).json, patience)
    .toMatchObject({ state: 'waiting', problem: { code: 'password' } });
  await ask('/sources/other', 'PATCH', { connection: other.url, bufferSize: 10 });
  await expect.poll(() => stateOf('other'), patience).toBe('recording');
  expect((await ask('/sources/other')).json).toMatchObject({
    bufferSize: 10,
    changed: { by: 'ada@clinic.example' },
  });
  await otherSql.query('INSERT INTO u VALUES (2)');
  await expect.poll(() => keys('other'), patience).toEqual(['2']);
  // Settings alone need no password.
  expect(await ask('/sources/other', 'PATCH', { retentionDays: 3_000 })).toMatchObject({
    status: 200,
    json: { retentionDays: 3_000, target: { database: other.name } },
  });
  await expect.poll(() => stateOf('other'), patience).toBe('recording');
  await otherSql.query('INSERT INTO u VALUES (3)');
  await expect.poll(() => keys('other'), patience).toEqual(['3', '2']);

  // What was refused is tried again, and it is said when.
  await ask('/sources/other', 'PATCH', { slot: `${slotOfOther}_2` });
  await expect
    .poll(async () => (await ask('/sources/other')).json, patience)
    .toMatchObject({
      ...{ state: 'refused', problem: { code: 'slot-missing' } },
      triedAgainAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  await ask('/sources/other', 'PATCH', { slot: slotOfOther });
  await expect
    .poll(async () => (await ask('/sources/other')).json, patience)
    .toMatchObject({ state: 'recording', triedAgainAt: null });

  expect(await ask('/sources/other', 'DELETE')).toMatchObject({
    status: 200,
    json: { whenRemoved: [`SELECT pg_drop_replication_slot('${slotOfOther}');`, expect.any(String)] },
  });
  await expect
    .poll(async () => await (await fetch(`${origin}/metrics`)).text(), patience)
    .not.toContain('log="other"');
  expect((await ask('/sources/other')).json).toMatchObject({ origin: 'elsewhere', state: 'unknown' });
  // Nobody reads the slot any more, and it can be dropped as was said.
  await otherSql.query(`SELECT pg_drop_replication_slot('${slotOfOther}')`);

  // What was done is in the log of accesses.
  const { json: accesses } = await ask('/accesses?what=source');
  expect(
    (accesses as { readonly accesses: readonly { subject: string; action: string }[] }).accesses
      .toReversed()
      .map(({ subject, action }) => `${subject} ${action}`),
  ).toEqual([
    ...['clinic added', 'other added', 'other connection-changed'],
    ...['other changed', 'other changed', 'other changed', 'other removed'],
  ]);

  // Altered in the audit database, or under another name, it is not opened.
  await trail.query(`UPDATE bemi.added_sources SET name = 'renamed', revision = 9 WHERE name = 'clinic'`);
  await expect
    .poll(async () => (await ask('/sources/renamed')).json, patience)
    .toMatchObject({ state: 'refused', problem: { code: 'source-sealed' } });
  await trail.query(`UPDATE bemi.added_sources SET name = 'clinic', revision = 10 WHERE name = 'renamed'`);
  await expect.poll(() => stateOf('clinic'), patience).toBe('recording');

  bemi.child.kill('SIGTERM');
  const { code, stdout, stderr } = await bemi.finished;
  expect(code).toBe(0);
  // A worker without a source of its own takes it up, and so do the commands that read its log.
  await sql.query('INSERT INTO t VALUES (4)');
  expect(await runBemi(['worker', '--drain'], environment, folder)).toMatchObject({ code: 0, stderr: '' });
  const log = await runBemi(['log', '--source', 'clinic', '--json', '--limit', '1'], environment, folder);
  expect(JSON.parse(log.stdout)).toMatchObject({ primaryKey: '4' });

  const { rows } = await trail.query<{ table: string; text: string }>(
    `SELECT c.relname AS "table", query_to_xml(format('SELECT * FROM bemi.%I', c.relname), true, true, '')::text AS text
       FROM pg_class c WHERE c.relnamespace = 'bemi'::regnamespace AND c.relkind IN ('r', 'p')`,
  );
  expect(rows.length).toBeGreaterThan(20);
  const everything = [stdout, stderr, added.text, checks.text, ...rows.map(({ text }) => text)];
  const hidden = [password, Buffer.from(password).toString('base64'), Buffer.from(password).toString('hex')];
  for (const secret of hidden)
    expect(
      everything.filter((text) => text.includes(secret)),
      secret,
    ).toEqual([]);
  await sql.query(`SELECT pg_drop_replication_slot('${slot}'); DROP OWNED BY ${role}; DROP ROLE ${role}`);
}, 120_000);

test('a configured source that refuses ends the process while it is alone, and not beside an added one', async () => {
  const [source, other, audit] = [await createDatabase(), await createDatabase(), await createDatabase()];
  const [sql, otherSql, trail] = [await source.connect(), await other.connect(), await audit.connect()];
  await otherSql.query('CREATE TABLE u (id int PRIMARY KEY)');
  const [slot, slotOfOther] = [`slot_${source.name}`, `slot_${other.name}`];
  const encryptionKey = 'ab'.repeat(32);
  const environment = {
    ...{ BEMI_DATABASE_URL: source.url, BEMI_DESTINATION_URL: audit.url, BEMI_REPLICATION_SLOT: slot },
    ...{ BEMI_PORT: '0', BEMI_ENCRYPTION_KEY: encryptionKey },
  };
  const folder = projectFolder();
  await sql.query('CREATE TABLE t (id int PRIMARY KEY)');
  expect(await runBemi(['worker', '--drain'], environment, folder)).toMatchObject({ code: 0 });
  const alone = startBemi(['worker'], environment, folder);
  await alone.untilPrinted('"msg":"Recording"');
  alone.child.kill('SIGTERM');
  await alone.finished;
  await sql.query(`SELECT pg_drop_replication_slot('${slot}')`);
  expect(await runBemi(['worker'], environment, folder)).toMatchObject({ code: 1 });

  // The key comes from BEMI_ENCRYPTION_KEY: whatever process seals, this one opens.
  const { target } = parseConnectionString(other.url, 'the test');
  const key = await sourceKey(parseEncryptionKey(encryptionKey), '/nowhere');
  const { host, port, database, role } = target;
  const added = { name: 'other', host, port, database, role, slot: slotOfOther };
  await addSource(
    trail,
    { ...added, publication: 'bemi_publication', bufferSize: 1_000, retentionDays: 2_192 },
    sealUrl(other.url, key, 'other'),
    { via: 'api', by: { id: 'test' } },
  );
  const beside = startBemi(['worker'], environment, folder);
  await beside.untilPrinted('"code":"slot-missing"');
  const answering = await beside.untilPrinted('"log":"other"');
  await otherSql.query('INSERT INTO u VALUES (1)');
  const recorded = async () =>
    (await trail.query(`SELECT FROM bemi.change_log c JOIN bemi.logs l USING (log) WHERE l.name = 'other'`))
      .rowCount;
  await expect.poll(recorded, patience).toBe(1);
  const address = `http://127.0.0.1:${/"port":(\d+),"msg":"Answering/.exec(answering)?.[1]}`;
  expect(await (await fetch(`${address}/readyz`)).json()).toMatchObject({
    sources: { [source.name]: { code: 'slot-missing' }, other: { state: 'recording' } },
  });
  expect((await fetch(`${address}/logs/other/checkpoint`)).status).toBe(200);
  expect(beside.child.exitCode).toBeNull();
  beside.child.kill('SIGTERM');
  expect((await beside.finished).code).toBe(0);
  await otherSql.query(`SELECT pg_drop_replication_slot('${slotOfOther}')`);
}, 120_000);

test('a worker that drains fails where something is left, and names it; the others are drained', async () => {
  const [source, other, audit] = [await createDatabase(), await createDatabase(), await createDatabase()];
  const [sql, otherSql, trail] = [await source.connect(), await other.connect(), await audit.connect()];
  for (const client of [sql, otherSql]) await client.query('CREATE TABLE t (id int PRIMARY KEY)');
  const slotOfOther = `slot_${other.name}`;
  const encryptionKey = 'ab'.repeat(32);
  const environment = {
    ...{ BEMI_DATABASE_URL: source.url, BEMI_DESTINATION_URL: audit.url },
    ...{ BEMI_REPLICATION_SLOT: `slot_${source.name}`, BEMI_ENCRYPTION_KEY: encryptionKey },
  };
  const folder = projectFolder();
  const drain = (settings: Readonly<Record<string, string>> = {}) =>
    runBemi(['worker', '--drain'], { ...environment, ...settings }, folder);
  expect(await drain()).toMatchObject({ code: 0, stderr: '' });
  const key = await sourceKey(parseEncryptionKey(encryptionKey), '/nowhere');
  const { host, port, database, role } = parseConnectionString(other.url, 'the test').target;
  await addSource(
    trail,
    {
      ...{ name: 'other', host, port, database, role, slot: slotOfOther },
      ...{ publication: 'bemi_publication', bufferSize: 1_000, retentionDays: 2_192 },
    },
    sealUrl(other.url, key, 'other'),
    { via: 'api', by: { id: 'test' } },
  );

  const recorded = async (log: string) =>
    (await trail.query(`SELECT FROM bemi.change_log c JOIN bemi.logs l USING (log) WHERE l.name = $1`, [log]))
      .rowCount;
  await sql.query('INSERT INTO t VALUES (1)');
  const withAnotherKey = await drain({ BEMI_ENCRYPTION_KEY: 'cd'.repeat(32) });
  expect(withAnotherKey).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('"code":"source-sealed"'),
    stderr: expect.stringMatching(/Not drained: other\. The connection of other .*BEMI_ENCRYPTION_KEY/s),
  });
  expect(await recorded(source.name)).toBe(1);
  // Alone, it is what is wrong.
  const { BEMI_DATABASE_URL: _, BEMI_REPLICATION_SLOT: __, ...alone } = environment;
  expect(
    await runBemi(['worker', '--drain'], { ...alone, BEMI_ENCRYPTION_KEY: 'cd'.repeat(32) }, folder),
  ).toMatchObject({ code: 1, stderr: expect.stringContaining('why  source-sealed') });

  // Another has the log, and whoever waits for it is told to stop.
  const worker = startBemi(['worker'], { ...environment, BEMI_PORT: '0' }, folder);
  await worker.untilPrinted('"log":"other"');
  const waiting = startBemi(['worker', '--drain'], environment, folder);
  await waiting.untilPrinted('"code":"log-in-use"');
  waiting.child.kill('SIGTERM');
  expect(await waiting.finished).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('stopped before everything was recorded'),
  });
  worker.child.kill('SIGTERM');
  await worker.finished;
  await otherSql.query('INSERT INTO t VALUES (1), (2)');
  expect(await drain()).toMatchObject({ code: 0, stderr: '' });
  expect(await recorded('other')).toBe(2);

  // The list of sources and the log of accesses, which are nobody's source.
  await trail.query('ALTER TABLE bemi.added_sources RENAME COLUMN slot TO slots');
  await trail.query(
    `SET session_replication_role = replica; DELETE FROM bemi.frontier WHERE log = (SELECT log FROM bemi.logs WHERE name = 'bemi:access')`,
  );
  await sql.query('INSERT INTO t VALUES (2)');
  expect(await drain()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Not drained: the sources that were added, the log of accesses'),
  });
  expect(await recorded(source.name)).toBe(2);
  await otherSql.query(`SELECT pg_drop_replication_slot('${slotOfOther}')`);
}, 120_000);
