import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { type RecordedChange, recordedChanges } from '@bemi-db/test-kit/to-jsonb-oracle';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

/** Runs statements on tables that `prepare` makes, and gives what was recorded of them, as tuples. */
async function record(prepare: string, statements: readonly string[]): Promise<unknown[][]> {
  return (await recordAll(prepare, statements)).map(summary);
}

async function recordAll(prepare: string, statements: readonly string[]): Promise<RecordedChange[]> {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client: pg.Client) =>
    client.query(prepare),
  );
  for (const statement of statements) await sql.query(statement);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  return recordedChanges(trail);
}

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

function summary({ operation, primaryKey, beforeKind, before, after }: RecordedChange): unknown[] {
  return [operation, primaryKey, beforeKind, parsed(before), parsed(after)];
}

test('identity DEFAULT with a key: the old row is its key, and only where the key changes', async () => {
  expect(
    await record('CREATE TABLE t (id integer PRIMARY KEY, v text, n integer)', [
      `INSERT INTO t VALUES (1, 'a', NULL)`,
      `UPDATE t SET v = 'b'`,
      'UPDATE t SET id = 2',
      'DELETE FROM t',
    ]),
  ).toEqual([
    ['INSERT', '1', 'none', null, { id: 1, v: 'a', n: null }],
    ['UPDATE', '1', 'none', null, { id: 1, v: 'b', n: null }],
    ['UPDATE', '2', 'key', { id: 1 }, { id: 2, v: 'b', n: null }],
    ['DELETE', '2', 'key', { id: 2 }, null],
  ]);
});

test('identity FULL: the old row is whole, with and without a key', async () => {
  expect(
    await record(
      `CREATE TABLE t (id integer PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY FULL;
       CREATE TABLE u (id integer, v text); ALTER TABLE u REPLICA IDENTITY FULL`,
      [
        `INSERT INTO t VALUES (1, NULL)`,
        'UPDATE t SET id = 2',
        'UPDATE t SET id = 2',
        'DELETE FROM t',
        `INSERT INTO u VALUES (1, NULL)`,
        `UPDATE u SET v = 'a'`,
        'DELETE FROM u',
      ],
    ),
  ).toEqual([
    ['INSERT', '1', 'none', null, { id: 1, v: null }],
    ['UPDATE', '2', 'full', { id: 1, v: null }, { id: 2, v: null }],
    ['UPDATE', '2', 'full', { id: 2, v: null }, { id: 2, v: null }],
    ['DELETE', '2', 'full', { id: 2, v: null }, null],
    ['INSERT', null, 'none', null, { id: 1, v: null }],
    ['UPDATE', null, 'full', { id: 1, v: null }, { id: 1, v: 'a' }],
    ['DELETE', null, 'full', { id: 1, v: 'a' }, null],
  ]);
});

test('identity by an index, NOTHING, and a deferrable key', async () => {
  expect(
    await record(
      `CREATE TABLE t (id integer PRIMARY KEY, code text NOT NULL UNIQUE, v text);
       ALTER TABLE t REPLICA IDENTITY USING INDEX t_code_key;
       CREATE TABLE n (id integer PRIMARY KEY); ALTER TABLE n REPLICA IDENTITY NOTHING;
       CREATE TABLE d (v text, id integer PRIMARY KEY DEFERRABLE);
       CREATE TABLE k (v text)`,
      [
        `INSERT INTO t VALUES (1, 'c', 'a')`,
        `UPDATE t SET v = 'b'`,
        `UPDATE t SET code = 'd'`,
        'DELETE FROM t',
        'INSERT INTO n VALUES (1)',
        `INSERT INTO d VALUES ('a', 1)`,
        `INSERT INTO k VALUES ('a')`,
      ],
    ),
  ).toEqual([
    ['INSERT', 'c', 'none', null, { id: 1, code: 'c', v: 'a' }],
    ['UPDATE', 'c', 'none', null, { id: 1, code: 'c', v: 'b' }],
    ['UPDATE', 'd', 'key', { code: 'c' }, { id: 1, code: 'd', v: 'b' }],
    ['DELETE', 'd', 'key', { code: 'd' }, null],
    ['INSERT', '1', 'none', null, { id: 1 }],
    ['INSERT', '1', 'none', null, { v: 'a', id: 1 }],
    ['INSERT', null, 'none', null, { v: 'a' }],
  ]);
});

test("composite keys are texts in the key's order, not the columns'", async () => {
  const statements = (table: string) => [
    `INSERT INTO ${table} VALUES (true, 'a"b', 7, '2020-01-02 03:04:05+00')`,
    `UPDATE ${table} SET v = 8`,
    `UPDATE ${table} SET name = ''`,
    `DELETE FROM ${table}`,
  ];
  const columns =
    'flag boolean, name text, v integer, at timestamptz, PRIMARY KEY (at, name, flag) INCLUDE (v)';
  const changes = await recordAll(
    `CREATE TABLE by_key (${columns}); CREATE TABLE by_row (${columns}); ALTER TABLE by_row REPLICA IDENTITY FULL`,
    [...statements('by_key'), ...statements('by_row')],
  );
  const named = '["2020-01-02 03:04:05+00","a\\"b","t"]';
  const unnamed = '["2020-01-02 03:04:05+00","","t"]';
  expect(changes.map((change) => change.primaryKey)).toEqual([
    ...[named, named, unnamed, unnamed],
    ...[named, named, unnamed, unnamed],
  ]);
  expect(parsed(changes[2]!.before)).toEqual({ flag: true, name: 'a"b', at: '2020-01-02T03:04:05+00:00' });
});

test('a key too long for an index stands as its SHA-256', async () => {
  const changes = await recordAll('CREATE TABLE t (a text, b text, PRIMARY KEY (b, a))', [
    `INSERT INTO t VALUES (repeat('ä', 990), 'x')`,
    `INSERT INTO t VALUES (repeat('ä', 1000), 'x')`,
    `UPDATE t SET b = 'y' WHERE length(a) = 1000`,
    'DELETE FROM t WHERE length(a) = 1000',
  ]);
  expect(changes.map((change) => change.primaryKey)).toEqual([
    JSON.stringify(['x', 'ä'.repeat(990)]),
    expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    changes[2]!.primaryKey,
  ]);
  expect(changes[1]!.primaryKey).not.toBe(changes[2]!.primaryKey);
  expect(parsed(changes[2]!.before)).toEqual({ a: 'ä'.repeat(1000), b: 'x' });
});

test('a value that an UPDATE leaves in TOAST: from the old row where that is whole, else absent', async () => {
  const large = Array.from({ length: 400 }, (_, i) => `${i} ${Math.sin(i)}`).join(' ');
  const table = (name: string, identity: string) =>
    `CREATE TABLE ${name} (id integer PRIMARY KEY, big text, j jsonb, n integer);
     ALTER TABLE ${name} ALTER big SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL;
     ALTER TABLE ${name} REPLICA IDENTITY ${identity};`;
  const statements = (name: string) => [
    `INSERT INTO ${name} VALUES (1, '${large}', to_jsonb('${large}'::text), 1)`,
    `UPDATE ${name} SET n = 2`,
    `UPDATE ${name} SET id = 2, j = 'null'`,
    `UPDATE ${name} SET big = NULL`,
  ];
  const changes = await record(table('whole', 'FULL') + table('by_key', 'DEFAULT'), [
    ...statements('whole'),
    ...statements('by_key'),
  ]);
  const inserted = { id: 1, big: large, j: large, n: 1 };
  expect(changes).toEqual([
    ['INSERT', '1', 'none', null, inserted],
    ['UPDATE', '1', 'full', inserted, { ...inserted, n: 2 }],
    ['UPDATE', '2', 'full', { ...inserted, n: 2 }, { id: 2, big: large, j: null, n: 2 }],
    ['UPDATE', '2', 'full', { id: 2, big: large, j: null, n: 2 }, { id: 2, big: null, j: null, n: 2 }],
    ['INSERT', '1', 'none', null, inserted],
    ['UPDATE', '1', 'none', null, { id: 1, n: 2 }],
    ['UPDATE', '2', 'key', { id: 1 }, { id: 2, j: null, n: 2 }],
    ['UPDATE', '2', 'none', null, { id: 2, big: null, j: null, n: 2 }],
  ]);
});

test('a key that is itself in TOAST comes from the old key', async () => {
  // Long enough for TOAST, and, compressed, short enough for the index.
  const key = 'k'.repeat(900);
  const changes = await record(
    `CREATE TABLE t (id text PRIMARY KEY, filler text, n integer);
     ALTER TABLE t ALTER id SET STORAGE EXTERNAL, ALTER filler SET STORAGE PLAIN`,
    [`INSERT INTO t VALUES ('${key}', repeat('f', 7000), 1)`, 'UPDATE t SET n = 2', 'DELETE FROM t'],
  );
  const row = { id: key, filler: 'f'.repeat(7000) };
  expect(changes).toEqual([
    ['INSERT', key, 'none', null, { ...row, n: 1 }],
    ['UPDATE', key, 'key', { id: key }, { ...row, n: 2 }],
    ['DELETE', key, 'key', { id: key }, null],
  ]);
});

test('keys that come, go and change while the columns stay', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query(`CREATE TABLE t (a integer, b integer); ALTER TABLE t REPLICA IDENTITY FULL;
                  CREATE TABLE u (a integer NOT NULL, b integer NOT NULL)`),
  );
  const step = async (statement: string): Promise<void> => {
    await sql.query(statement);
    await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  };
  await step('INSERT INTO t VALUES (1, 2); INSERT INTO u VALUES (1, 2)');
  await step('ALTER TABLE t ADD PRIMARY KEY (a); UPDATE t SET b = 3');
  await step('ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (b, a); UPDATE t SET b = 4');
  await step('ALTER TABLE t DROP CONSTRAINT t_pkey; UPDATE t SET b = 5');
  // The stream says that there was no key; the catalog has one by now.
  await step('INSERT INTO u VALUES (3, 4); ALTER TABLE u ADD PRIMARY KEY (a)');
  await step('UPDATE u SET b = 5 WHERE a = 3');
  const changes = await recordedChanges(trail);
  expect(changes.map((change) => [change.table, change.primaryKey])).toEqual([
    ['public.t', null],
    ['public.u', null],
    ['public.t', '1'],
    ['public.t', '["4","1"]'],
    ['public.t', null],
    ['public.u', null],
    ['public.u', '3'],
  ]);
});
