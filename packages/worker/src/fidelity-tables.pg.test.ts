import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

const full = (table: string) => `ALTER TABLE ${table} REPLICA IDENTITY FULL;`;

test('tables without columns, with 1,600, with generated ones, of typed and inherited rows', async () => {
  const wide = Array.from({ length: 1_600 }, (_, i) => `c${i} ${i % 3 === 0 ? 'integer' : 'text'}`);
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(`
      CREATE TABLE empty (); ${full('empty')}
      CREATE TABLE wide (${wide.join(', ')}); ${full('wide')}
      CREATE TABLE computed (id integer PRIMARY KEY, half numeric GENERATED ALWAYS AS (id / 2.0) STORED, v text);
      CREATE TYPE pair AS (a integer, b text);
      CREATE TABLE typed OF pair; ${full('typed')}
      CREATE TABLE parent (id integer, v text); ${full('parent')}
      CREATE TABLE child (extra boolean) INHERITS (parent); ${full('child')}`);
    await watchRows(client, { empty: [], wide: [], computed: ['half'], typed: [], parent: [], child: [] });
  });
  await sql.query('INSERT INTO empty DEFAULT VALUES');
  await sql.query('DELETE FROM empty');
  await sql.query(`INSERT INTO wide (c0, c1, c1599) VALUES (1, 'one', '9')`);
  await sql.query(`UPDATE wide SET c0 = NULL, c2 = 'two', c1598 = 'last'`);
  await sql.query('DELETE FROM wide');
  await sql.query(`INSERT INTO computed (id, v) VALUES (3, 'a')`);
  await sql.query(`INSERT INTO typed VALUES (1, NULL), (NULL, '')`);
  await sql.query(`UPDATE typed SET b = 'b'`);
  await sql.query(`INSERT INTO child VALUES (1, 'one', true)`);
  await sql.query(`INSERT INTO parent VALUES (1, 'two')`);
  await sql.query(`UPDATE parent SET v = 'both'`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const watched = await watchedChanges(sql);
  expect(watched.length).toBe(14);
  expect(differences(watched, await recordedChanges(trail))).toEqual([]);
});

/** Statements between which the worker may or may not have run. */
const alterations = [
  `INSERT INTO t VALUES (1, '1.50', 'good', ROW(1, 'a'), 'x')`,
  `ALTER TABLE t ADD COLUMN added timestamptz DEFAULT '2020-01-01 00:00:00+00'`,
  `UPDATE t SET d = 'y'`,
  'ALTER TABLE t DROP COLUMN d',
  `UPDATE t SET v = '2.5'`,
  'ALTER TABLE t ALTER COLUMN v TYPE numeric USING v::numeric',
  'UPDATE t SET v = 3.50',
  'ALTER TABLE t RENAME COLUMN v TO "V v"',
  'UPDATE t SET "V v" = 4',
  `ALTER TYPE mood RENAME VALUE 'good' TO 'better'`,
  `ALTER TYPE mood ADD VALUE 'best'`,
  `UPDATE t SET m = 'best'`,
  'ALTER TABLE t RENAME TO "T 2"',
  `INSERT INTO "T 2" VALUES (2, 1, 'better', ROW(NULL, '"'))`,
  'CREATE SCHEMA s; ALTER TABLE "T 2" SET SCHEMA s',
  `UPDATE s."T 2" SET "V v" = 5`,
  'ALTER TABLE s."T 2" DROP CONSTRAINT t_pkey',
  `UPDATE s."T 2" SET "V v" = 6`,
  'ALTER TABLE s."T 2" ADD COLUMN d boolean NOT NULL DEFAULT true',
  `UPDATE s."T 2" SET d = false`,
  'ALTER TABLE s."T 2" ALTER COLUMN m TYPE text',
  `DELETE FROM s."T 2" WHERE id = 1`,
];

test.each([
  ['after each statement', true],
  ['once, when the table is another', false],
])('a table that is altered between transactions, the worker running %s', async (_, isAlwaysRunning) => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(`
      CREATE TYPE mood AS ENUM ('good', 'bad');
      CREATE TYPE pair AS (a integer, b text);
      CREATE TABLE t (id integer PRIMARY KEY, v text, m mood, p pair, d text); ${full('t')}`);
    await watchRows(client, { t: [] });
  });
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  const stop = new AbortController();
  const running = isAlwaysRunning ? worker.run({ signal: stop.signal }) : undefined;
  let changes = 0;
  for (const statement of alterations) {
    await sql.query(statement);
    if (!statement.startsWith('ALTER') && !statement.startsWith('CREATE')) changes++;
    if (isAlwaysRunning) {
      await expect.poll(() => worker.status().changes, { timeout: 10_000 }).toBeGreaterThanOrEqual(changes);
    }
  }
  stop.abort();
  await running;
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const recorded = await recordedChanges(trail);
  expect(differences(await watchedChanges(sql), recorded)).toEqual([]);
  expect(recorded.at(-1)).toMatchObject({ table: 's.T 2', beforeKind: 'full' });
});

test('tables and types that are gone when the worker comes', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(`
      CREATE TYPE mood AS ENUM ('good', 'bad');
      CREATE TYPE pair AS (a integer, b timestamptz);
      CREATE TABLE built_in (id integer PRIMARY KEY, n numeric[], j jsonb, at timestamptz);
      CREATE TABLE seen (id integer PRIMARY KEY, p pair, m mood[]); ${full('seen')}
      CREATE TABLE unseen (m mood, n integer);`);
    await watchRows(client, { built_in: [], seen: [], unseen: [] });
  });
  await sql.query(`INSERT INTO seen VALUES (1, ROW(1, '2020-01-01'), '{good,NULL}')`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  await sql.query(`INSERT INTO built_in VALUES (1, '{1.50,NaN}', '{"a": [1]}', 'infinity')`);
  await sql.query(`UPDATE seen SET p.a = 2, m = '{{bad},{good}}'`);
  await sql.query(`INSERT INTO unseen VALUES ('bad', 7)`);
  const watched = await watchedChanges(sql);
  await sql.query('DROP TABLE built_in, seen, unseen; DROP TYPE mood, pair');
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const recorded = await recordedChanges(trail);
  expect(differences(watched, recorded)).toEqual([]);
  expect(recorded.map((change) => change.primaryKey)).toEqual(['1', '1', '1', null]);
});

const composedTable = `
  CREATE TYPE pair AS (a integer, b text);
  CREATE TABLE t (id integer PRIMARY KEY, p pair, q pair[]); ${full('t')}`;

test('composite types that are altered while the worker runs, of which the stream says nothing', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(composedTable);
    await watchRows(client, { t: [] });
  });
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  const stop = new AbortController();
  const running = worker.run({ signal: stop.signal });
  const statements = [
    `INSERT INTO t VALUES (1, ROW(1, 'a'), ARRAY[ROW(1, 'a')]::pair[])`,
    `ALTER TYPE pair ADD ATTRIBUTE c boolean; UPDATE t SET p = ROW(1, 'b', true)`,
    `ALTER TYPE pair DROP ATTRIBUTE a; UPDATE t SET p = ROW('b', true)`,
    `ALTER TYPE pair RENAME ATTRIBUTE b TO renamed; UPDATE t SET p = ROW('b', false)`,
  ];
  for (const [i, statement] of statements.entries()) {
    await sql.query(statement);
    await expect.poll(() => worker.status().changes, { timeout: 10_000 }).toBe(i + 1);
  }
  stop.abort();
  await running;
  expect(differences(await watchedChanges(sql), await recordedChanges(trail))).toEqual([]);
  expect(worker.status().quarantined).toBe(0);
});

test('a composite value that no longer fits its type is kept as it came', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query(composedTable),
  );
  await sql.query(`INSERT INTO t VALUES (1, ROW(1, 'a'))`);
  await sql.query(`INSERT INTO t VALUES (2, NULL, ARRAY[NULL, ROW(1, '2nd')]::pair[])`);
  await sql.query('ALTER TYPE pair ADD ATTRIBUTE c integer');
  await sql.query(`INSERT INTO t VALUES (3, ROW(1, '1a', 2))`);
  await sql.query('ALTER TYPE pair DROP ATTRIBUTE a, ADD ATTRIBUTE d json');
  await sql.query(`INSERT INTO t VALUES (4, ROW('b', 3, '{}'))`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const changes = await recordedChanges(trail);
  expect(changes.map((change) => change.after)).toEqual([
    null,
    null,
    null,
    '{"p": {"b": "b", "c": 3, "d": {}}, "q": null, "id": 4}',
  ]);
  const { rows } = await trail.query('SELECT reason FROM bemi.quarantine');
  expect(rows).toEqual(Array(3).fill({ reason: 'unreadable-value' }));
});
