import { request } from '@bemi-db/trail/inbox';
import { recordedRules } from '@bemi-db/trail/rules/recorded-rules';
import { expect, test } from 'vitest';
import { answered } from '../test/context-key.ts';
import { askForRules, ruledSource } from '../test/ruled-source.ts';
import { parseEncryptionKey } from './authenticity/sealed-key.ts';
import { createWorker } from './create-worker.ts';
import { silentLogger } from './logger.ts';
import { valueHash } from './rules/value-hash.ts';

const users = `CREATE TABLE users (id int PRIMARY KEY, name text, "updatedAt" int, posts_cached_counter int);
  ALTER TABLE users REPLICA IDENTITY FULL;`;

test('tables that are excluded, or not included, leave nothing: no change, no shape, no transaction, no context', async () => {
  const scene = await ruledSource(
    `${users} CREATE TABLE audit_trail (v text); CREATE SCHEMA web; CREATE TABLE web.sessions (v int PRIMARY KEY);`,
  );
  const { sql, trail } = scene;
  await scene.set({ include: ['public.*', 'web.*'], exclude: ['audit_*', '*.sessions'] });
  await sql.query(`INSERT INTO audit_trail VALUES ('secret')`);
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"1"}');
    INSERT INTO web.sessions VALUES (1); COMMIT`);
  await sql.query(`BEGIN; INSERT INTO web.sessions VALUES (2); INSERT INTO users VALUES (1, 'Ada', 1, 1);
    SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"2"}'); INSERT INTO audit_trail VALUES ('x'); COMMIT`);
  await sql.query('TRUNCATE audit_trail, users, web.sessions');
  await sql.query('TRUNCATE audit_trail');
  expect(await scene.changes()).toEqual([
    ['INSERT', 'public.users', '1', null, { id: 1, name: 'Ada', updatedAt: 1, posts_cached_counter: 1 }],
    ['TRUNCATE', 'public.users', null, null, null],
  ]);
  const { rows } = await trail.query(`SELECT (SELECT count(*)::int FROM bemi.transaction_log) AS transactions,
    (SELECT json_agg(context->>'userId') FROM bemi.context_log) AS contexts,
    (SELECT json_agg(table_name) FROM bemi.relations) AS tables`);
  expect(rows).toEqual([{ transactions: 2, contexts: ['2'], tables: ['users'] }]);
});

test('a partition goes by its own name and by that of its root; a row that moves is what it is in each', async () => {
  const scene = await ruledSource(
    `CREATE TABLE events (at int, v text) PARTITION BY RANGE (at);
     CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (0) TO (10);
     CREATE TABLE events_new PARTITION OF events FOR VALUES FROM (10) TO (20);
     ALTER TABLE events_old REPLICA IDENTITY FULL; ALTER TABLE events_new REPLICA IDENTITY FULL;`,
  );
  await scene.set({ exclude: ['events_old'] });
  await scene.sql.query(`INSERT INTO events VALUES (1, 'old'), (11, 'new')`);
  await scene.sql.query('UPDATE events SET at = at - 10 WHERE at = 11');
  await scene.sql.query('TRUNCATE events');
  await scene.set({ include: ['public.events'] });
  await scene.sql.query(`INSERT INTO events VALUES (2, 'included')`);
  await scene.set({ exclude: ['events'] });
  await scene.sql.query(`INSERT INTO events VALUES (3, 'not')`);
  expect(await scene.changes()).toEqual([
    ['INSERT', 'public.events', null, null, { at: 11, v: 'new' }],
    ['DELETE', 'public.events', null, { at: 11, v: 'new' }, null],
    ['TRUNCATE', 'public.events_new', null, null, null],
    ['INSERT', 'public.events', null, null, { at: 2, v: 'included' }],
  ]);
});

test('a change in which only ignored columns differ is left out, where the old row is known', async () => {
  const scene = await ruledSource(
    `${users} CREATE TABLE brief (id int PRIMARY KEY, "updatedAt" int, big text);
     ALTER TABLE brief ALTER COLUMN big SET STORAGE EXTERNAL;
     CREATE TABLE big (id int PRIMARY KEY, big text, "updatedAt" int); ALTER TABLE big REPLICA IDENTITY FULL;
     ALTER TABLE big ALTER COLUMN big SET STORAGE EXTERNAL;`,
  );
  const { sql } = scene;
  await scene.set({ ignore: ['*.updatedAt', '*_cached_counter', 'users.id'] });
  await sql.query(`INSERT INTO users VALUES (1, 'Ada', 1, 1)`);
  await sql.query('UPDATE users SET "updatedAt" = 2');
  await sql.query('UPDATE users SET "updatedAt" = NULL, posts_cached_counter = 7');
  await sql.query(`UPDATE users SET name = 'Ada'`); // nothing differs: no rule speaks of that
  await sql.query(`UPDATE users SET name = 'Lovelace', "updatedAt" = 3`);
  await sql.query('UPDATE users SET id = 2, "updatedAt" = 4'); // the key is never ignored
  await sql.query('DELETE FROM users');
  await sql.query(`INSERT INTO brief VALUES (1, 1, repeat('x', 9000))`);
  await sql.query('UPDATE brief SET "updatedAt" = 2'); // DEFAULT: who knows what else differs
  await sql.query(`INSERT INTO big VALUES (1, repeat('x', 9000), 1)`);
  await sql.query('UPDATE big SET "updatedAt" = 2'); // the large value is not in the new row, and is not changed
  const big = 'x'.repeat(9000);
  const user = { id: 1, name: 'Ada', updatedAt: 1, posts_cached_counter: 1 };
  const later = { ...user, updatedAt: null, posts_cached_counter: 7 };
  expect(await scene.changes()).toEqual([
    ['INSERT', 'public.users', '1', null, user],
    ['UPDATE', 'public.users', '1', later, later],
    ['UPDATE', 'public.users', '1', later, { ...later, name: 'Lovelace', updatedAt: 3 }],
    [
      ...['UPDATE', 'public.users', '2'],
      { ...later, name: 'Lovelace', updatedAt: 3 },
      { ...later, id: 2, name: 'Lovelace', updatedAt: 4 },
    ],
    ['DELETE', 'public.users', '2', { ...later, id: 2, name: 'Lovelace', updatedAt: 4 }, null],
    ['INSERT', 'public.brief', '1', null, { id: 1, updatedAt: 1, big }],
    ['UPDATE', 'public.brief', '1', null, { id: 1, updatedAt: 2 }],
    ['INSERT', 'public.big', '1', null, { id: 1, big, updatedAt: 1 }],
  ]);
  // A table that is altered is looked at again.
  await sql.query('ALTER TABLE users RENAME COLUMN "updatedAt" TO touched');
  await sql.query('ALTER TABLE users ADD COLUMN "updatedAt" int');
  await sql.query(`INSERT INTO users VALUES (3, 'Eve', 1, 1, 1)`);
  await sql.query('UPDATE users SET "updatedAt" = 2');
  await sql.query('UPDATE users SET touched = 2');
  expect((await scene.changes()).slice(8)).toEqual([
    ['INSERT', 'public.users', '3', null, { ...user, id: 3, name: 'Eve', touched: 1, updatedAt: 1 }].map(
      withoutOld,
    ),
    [
      ...['UPDATE', 'public.users', '3'],
      { id: 3, name: 'Eve', touched: 1, posts_cached_counter: 1, updatedAt: 2 },
      { id: 3, name: 'Eve', touched: 2, posts_cached_counter: 1, updatedAt: 2 },
    ],
  ]);
});

const withoutOld = (value: unknown): unknown => value;

const people = `CREATE TABLE people (id int, ssn text, pin int, note json, name text, PRIMARY KEY (ssn, id));
  ALTER TABLE people REPLICA IDENTITY FULL;
  CREATE TABLE keyed (ssn text PRIMARY KEY, pin int, name text);`;

test('redacted columns are omitted, masked or hashed, in rows, in old rows and in keys', async () => {
  const scene = await ruledSource(people);
  const { sql, trail } = scene;
  await scene.set({ redact: { '*.ssn': 'hash', 'people.pin': 'omit', 'keyed.pin': 'mask', note: 'mask' } });
  const { rows } = await trail.query<{ logId: string }>('SELECT log_id AS "logId" FROM bemi.logs');
  const key = parseEncryptionKey(scene.targets.encryptionKey!);
  const hash = (text: string) => valueHash(key, rows[0]!.logId).of(Buffer.from(text));
  await sql.query(`INSERT INTO people VALUES (1, '111', 1234, '{"a":"\\u0000"}', 'Ada')`);
  await sql.query(`UPDATE people SET pin = 4321`);
  await sql.query(`UPDATE people SET ssn = '222', note = NULL`);
  await sql.query('DELETE FROM people');
  await sql.query(`INSERT INTO keyed VALUES ('111', 1, 'Ada')`);
  await sql.query(`UPDATE keyed SET ssn = '222'`);
  await sql.query(`UPDATE keyed SET pin = NULL`);
  await sql.query('DELETE FROM keyed');
  const [one, two] = [hash('111'), hash('222')];
  const ada = { id: 1, ssn: one, note: '***', name: 'Ada' };
  const key1 = JSON.stringify([one, '1']);
  const key2 = JSON.stringify([two, '1']);
  expect(await scene.changes()).toEqual([
    ['INSERT', 'public.people', key1, null, ada],
    ['UPDATE', 'public.people', key1, ada, ada],
    ['UPDATE', 'public.people', key2, ada, { ...ada, ssn: two, note: null }],
    ['DELETE', 'public.people', key2, { ...ada, ssn: two, note: null }, null],
    ['INSERT', 'public.keyed', one, null, { ssn: one, pin: '***', name: 'Ada' }],
    ['UPDATE', 'public.keyed', two, { ssn: one }, { ssn: two, pin: '***', name: 'Ada' }],
    ['UPDATE', 'public.keyed', two, null, { ssn: two, pin: null, name: 'Ada' }],
    ['DELETE', 'public.keyed', two, { ssn: two }, null],
  ]);
  expect(one).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
  expect(valueHash(key, '00'.repeat(16)).of(Buffer.from('111'))).not.toBe(one);
});

test('what is redacted leaves no trace in quarantine, nor anywhere else in the audit database', async () => {
  const scene = await ruledSource(
    `${people} CREATE TABLE doc (id int PRIMARY KEY, secret text, body json); ALTER TABLE doc REPLICA IDENTITY FULL;`,
    { maximumRowBytes: 20_000 },
  );
  await scene.set({ redact: { '*.ssn': 'hash', 'doc.secret': 'mask', 'people.name': 'omit' } });
  const { sql, trail } = scene;
  await sql.query(`INSERT INTO doc VALUES (1, 'TOP-SECRET-1', '{"a":"\\u0000"}')`); // jsonb would reject it
  await sql.query(`INSERT INTO doc VALUES (2, repeat('TOP-SECRET-2', 3000), '{}')`); // too large
  await sql.query(`INSERT INTO people VALUES (1, 'TOP-SECRET-3', 1, '{}', 'TOP-SECRET-4')`);
  await sql.query(`UPDATE people SET ssn = 'TOP-SECRET-5', name = repeat('TOP-SECRET-6', 3000)`);
  await sql.query('DELETE FROM doc');
  expect((await scene.changes()).length).toBe(6);
  const { rows } = await trail.query<{ reason: string; bytes: string }>(
    `SELECT reason, convert_from(bytes, 'UTF8') AS bytes FROM bemi.quarantine ORDER BY sequence`,
  );
  expect(rows.map(({ reason }) => reason)).toEqual([
    'null-character',
    'row-too-large',
    'row-too-large',
    'null-character',
    'row-too-large',
  ]);
  for (const { bytes } of rows)
    expect(JSON.parse(bytes)).toEqual({ redacted: true, bytes: expect.any(Number) });
  const { rows: tables } = await trail.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'bemi' AND c.relkind = 'r'`,
  );
  for (const { name } of tables) {
    const { rows: found } = await trail.query(
      `SELECT t FROM ${name} AS t WHERE t::text ~ 'TOP-SECRET' OR t::text ~ encode('TOP-SECRET', 'hex')`,
    );
    expect(found, name).toEqual([]);
  }
});

test('a running worker puts rules into force between two transactions, and says so before', async () => {
  const scene = await ruledSource(users);
  const { sql, trail } = scene;
  const stop = new AbortController();
  const worker = createWorker(scene.targets);
  const running = worker.run({ signal: stop.signal });
  await expect.poll(() => worker.status().state).toBe('recording');
  // A transaction that is open on the source while they are set is judged by them: it commits later.
  await sql.query(`BEGIN; INSERT INTO users VALUES (1, 'open', 1, 1)`);
  const other = await scene.source.connect();
  await other.query(`INSERT INTO users VALUES (2, 'before', 1, 1)`);
  await expect.poll(() => worker.status().changes).toBe(1);
  const id = await askForRules(scene, { exclude: ['users'] });
  const answer = await answered(trail, id);
  await sql.query('COMMIT');
  await other.query(`INSERT INTO users VALUES (3, 'after', 1, 1)`);
  await expect.poll(() => worker.status().leftOut).toBe(2);
  const again = await askForRules(scene, {}, { reason: 'enough' });
  await answered(trail, again);
  await other.query(`INSERT INTO users VALUES (4, 'again', 1, 1)`);
  await expect.poll(() => worker.status().changes).toBe(2);
  stop.abort();
  await running;
  expect((await scene.changes()).map(([, , key]) => key)).toEqual(['2', '4']);
  const recorded = await recordedRules(trail, 0);
  expect(recorded).toMatchObject([
    {
      sequence: Number('sequence' in answer && answer.sequence),
      rules: { exclude: ['users'] },
      reason: 'test',
      by: 'Ada',
    },
    { rules: { exclude: [] }, reason: 'enough', origin: 'request' },
  ]);
  const { rows } = await trail.query<{ sequence: string }>(
    'SELECT sequence FROM bemi.change_log ORDER BY sequence',
  );
  expect(Number(rows[1]!.sequence)).toBeGreaterThan(recorded[1]!.sequence);
  expect(Number(rows[0]!.sequence)).toBeLessThan(recorded[0]!.sequence);
});

test('rules that come in the middle of a large transaction stand in it, and judge the next one', async () => {
  const scene = await ruledSource(users);
  const rules = { version: 1, include: [], exclude: ['users'], ignore: [], redact: {} } as const;
  const rowCount = 12_000;
  // More than may wait for the writer: the stream is paused within it.
  await scene.sql.query(
    `INSERT INTO users SELECT g, repeat('x', 2000), 1, 1 FROM generate_series(1, ${rowCount}) g`,
  );
  await scene.sql.query(`INSERT INTO users VALUES (0, 'the next', 1, 1)`);
  let inForce: () => void = () => undefined;
  const areInForce = new Promise<void>((resolve) => {
    inForce = resolve;
  });
  const info = (_: object, message?: string) => message?.startsWith('Other rules') && inForce();
  const worker = createWorker({
    ...scene.targets,
    logger: { ...silentLogger, info },
    // A part of it waits to be written until the rules have come.
    failpoint: async (name) => {
      if (name !== 'append:before') return;
      worker.setRules({ rules, file: 'bemi.config.yaml' });
      await areInForce;
    },
  });
  await worker.run({ drain: true });
  expect(worker.status()).toMatchObject({ changes: rowCount, leftOut: 1 });
  const { rows } = await scene.trail.query(
    // Sent again, it is judged as it was: by the rules before.
    `SELECT e.sequence > t.transaction AND e.sequence < t.sequence AS "isInside",
            (e.payload->>'fromLsn')::pg_lsn > t.commit_lsn AS "isForLater"
       FROM bemi.transaction_log t, bemi.event_log e WHERE e.payload->>'event' = 'rules-set'`,
  );
  expect(rows).toEqual([{ isInside: true, isForLater: true }]);
  expect(await scene.changes()).toHaveLength(rowCount);
});

test.each(['confirm:before', 'commit:after', 'commit:before'] as const)(
  'what was left out comes again after a failure at %s, and comes to nothing again, whatever the rules are by then',
  async (failpoint) => {
    const scene = await ruledSource(users);
    const { sql } = scene;
    await scene.set({ exclude: ['users'] });
    await sql.query('CREATE TABLE other (v int); ALTER PUBLICATION bemi_publication ADD TABLE other');
    await sql.query(`INSERT INTO users VALUES (1, 'left out', 1, 1)`);
    await sql.query('INSERT INTO other VALUES (1)');
    await sql.query(`INSERT INTO users VALUES (2, 'left out too', 1, 1)`);
    const isDurable = async (): Promise<boolean> =>
      (await scene.trail.query('SELECT FROM bemi.change_log')).rows.length > 0;
    const isReached = async (): Promise<boolean> =>
      failpoint === 'commit:before' ? failing.status().leftOut === 2 : await isDurable();
    let wasDurable = false;
    let hasFailed = false;
    const failing = createWorker({
      ...scene.targets,
      failpoint: async (name) => {
        if (name !== failpoint || hasFailed || !(await isReached())) return;
        hasFailed = true;
        wasDurable = await isDurable();
        // What was read and left out comes again: the slot has not heard of it. By then there are other rules.
        await askForRules(scene, {});
        throw Object.assign(new Error(name), { code: 'ECONNRESET' });
      },
    });
    await failing.run({ drain: true });
    expect(hasFailed).toBe(true);
    await sql.query(`INSERT INTO users VALUES (3, 'recorded', 1, 1)`);
    const keys = (await scene.changes()).map(([, table, key]) => `${table} ${key}`);
    expect(keys.at(-1)).toBe('public.users 3');
    expect(keys).toContain('public.other null');
    // Before the commit nothing is judged for good: all of it is judged by the new rules.
    expect(keys.includes('public.users 1')).toBe(!wasDurable);
  },
);

test('requests that can not be are refused, with why', async () => {
  const scene = await ruledSource(`${users} CREATE TABLE people (ssn text PRIMARY KEY);`);
  const { set, trail } = scene;
  expect(await set({ exclude: ['a.b.c'] })).toContain('3 names');
  expect(await set({ excluded: [] })).toContain('excluded is no rule');
  expect(await set({}, { reason: '' })).toContain('says why');
  expect(await set({}, { by: undefined })).toContain('says who');
  expect(await set({ redact: { ssn: 'mask' } })).toContain('not omitted or masked: public.people.ssn');
  expect(await set({ redact: { 'users.name': 'omit' } })).toMatch(/^\d+$/);
  expect(await set({}, { basedOn: null })).toContain('changed meanwhile');
  const id = await request(trail, 0, 'config', {
    event: 'rules-set',
    rules: { redact: { ssn: 'hash' } },
    reason: 'r',
    by: 'b',
  });
  await createWorker({ ...scene.targets, encryptionKey: undefined } as never).run({ drain: true });
  expect(await answered(trail, id)).toEqual({ refusal: expect.stringContaining('BEMI_ENCRYPTION_KEY') });
});

test('a table that gets a key of a hidden column later: it is hashed, and without a key not shown', async () => {
  const scene = await ruledSource(
    'CREATE TABLE t (ssn text NOT NULL, v int); ALTER TABLE t REPLICA IDENTITY FULL;',
  );
  await scene.set({ redact: { ssn: 'mask' } });
  await scene.sql.query('ALTER TABLE t ADD PRIMARY KEY (ssn)');
  await scene.sql.query(`INSERT INTO t VALUES ('111', 1)`);
  await scene.drain();
  const { encryptionKey: _, ...keyless } = scene.targets;
  await scene.sql.query(`INSERT INTO t VALUES ('222', 2)`);
  await createWorker(keyless).run({ drain: true });
  const changes = await scene.changes();
  expect(changes[0]![2]).toMatch(/^hmac-sha256:/);
  expect(changes[0]![4]).toEqual({ ssn: changes[0]![2], v: 1 });
  expect(changes[1]!.slice(2)).toEqual([null, null, { ssn: '***', v: 2 }]);
});

test('without the key that hashes the worker does not record; with another one the log says so', async () => {
  const scene = await ruledSource(users);
  await scene.set({ redact: { 'users.name': 'hash' } });
  const { encryptionKey: _, ...keyless } = scene.targets;
  await expect(createWorker(keyless).run({ drain: true })).rejects.toMatchObject({
    problem: { code: 'redaction-key-missing', kind: 'configuration' },
  });
  const other = Buffer.alloc(32, 'other').toString('base64');
  await scene.drain({ encryptionKey: other });
  const [first, second] = await recordedRules(scene.trail, 0);
  expect(second).toMatchObject({ rules: first!.rules, by: 'the worker', origin: 'request' });
  expect(second!.hashKey).not.toBe(first!.hashKey);
});

test("a configuration file's rules: an entry when they change, and the only place where they do", async () => {
  const scene = await ruledSource(users);
  const rules = { version: 1, include: [], exclude: ['users'], ignore: [], redact: {} } as const;
  const configured = { rules, file: 'bemi.config.yaml' };
  await scene.drain({ rules: configured });
  await scene.drain({ rules: configured });
  const worker = createWorker({ ...scene.targets, rules: configured });
  const stop = new AbortController();
  const running = worker.run({ signal: stop.signal });
  const id = await askForRules(scene, {});
  expect(await answered(scene.trail, id)).toEqual({ refusal: expect.stringContaining('bemi.config.yaml') });
  await scene.sql.query(`INSERT INTO users VALUES (1, 'a', 1, 1)`);
  await expect.poll(() => worker.status().leftOut).toBe(1);
  worker.setRules({ ...configured, rules: { ...rules, exclude: [] } });
  await expect.poll(async () => (await recordedRules(scene.trail, 0)).length).toBe(2);
  await scene.sql.query(`INSERT INTO users VALUES (2, 'b', 1, 1)`);
  await expect.poll(() => worker.status().changes).toBe(1);
  stop.abort();
  await running;
  expect(await recordedRules(scene.trail, 0)).toMatchObject([
    { origin: 'file', file: 'bemi.config.yaml', rules: { exclude: ['users'] } },
    { origin: 'file', rules: { exclude: [] } },
  ]);
  await expect(
    scene.drain({
      rules: { ...configured, rules: { ...rules, exclude: [], redact: { 'users.id': 'omit' } } },
    }),
  ).rejects.toMatchObject({
    problem: { code: 'rules-refused', message: expect.stringContaining('public.users.id') },
  });
});

test('rules that somebody has altered in the audit database are not gone by', async () => {
  const scene = await ruledSource(users);
  await scene.set({ redact: { 'users.name': 'omit' } });
  // Beyond the newest entries, which every session hashes again anyway.
  await scene.sql.query(`INSERT INTO users SELECT g, 'x', 1, 1 FROM generate_series(1, 600) g`);
  await scene.drain();
  await scene.trail.query(`SET session_replication_role = replica;
    UPDATE bemi.event_log SET payload = replace(payload::text, 'omit', 'mask')::json WHERE kind = 'config'`);
  await expect(scene.drain()).rejects.toMatchObject({
    problem: { code: 'log-altered', message: expect.stringContaining('which sets rules') },
  });
});
