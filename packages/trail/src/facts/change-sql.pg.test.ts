import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { type ChangedRow, changeSql, type TableFacts } from './change-sql.ts';

test('what was changed is made again and undone, whatever the values are', async () => {
  const database = await createDatabase();
  const sql = await database.connect();
  await sql.query(`
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TYPE place AS (street text, house int);
    CREATE TABLE "odd ""name" (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "a b" text, n numeric, f double precision, ok boolean, m mood,
      at timestamptz, raw bytea, tags text[], grid int[][], lives place, j json, jb jsonb, span int4range, net inet);
    INSERT INTO "odd ""name" ("a b", n, f, ok, m, at, raw, tags, grid, lives, j, jb, span, net) VALUES
      ('it''s \\ "quoted"', 12345678901234567890.1200, 'NaN', true, 'good', '2026-03-01 12:00:00.123456+02', '\\x00ff',
       '{a,"b,c",NULL,"d\\"e"}', '{{1,2},{3,4}}', '("Low Road",7)', '{"b":1,"a":[1.50]}', '"a string"', '[1,5)', '10.0.0.0/8'),
      (E'line\\nbreak; DROP TABLE "odd ""name"; --', -0.5, '-Infinity', false, 'bad', 'infinity', '', '{}', '{}', NULL, '42', '9007199254740993', 'empty', '::1'),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`);
  const rows = async (): Promise<string[]> =>
    (
      await sql.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM "odd ""name" t ORDER BY id`)
    ).rows.map(({ row }) => row);
  const before = await rows();
  const { rows: columns } = await sql.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = '"odd ""name"'::regclass AND attnum > 0`,
  );
  const facts: TableFacts = {
    key: ['id'],
    plain: ['id', 'a b', 'n', 'f', 'ok', 'm', 'at', 'raw', 'span', 'net'],
  };
  const table = { schema: 'public', table: 'odd "name', beforeKind: 'full' } as const;
  const names = columns.map(({ name }) => name);
  const changed = names.filter((name) => name !== 'id');

  for (const plain of [facts.plain, []]) {
    const known = { ...facts, plain };
    for (const row of before) {
      const deletion: ChangedRow = { ...table, operation: 'DELETE', before: row, after: null, changed: null };
      await sql.query(changeSql(deletion, 'again', known));
      expect(await rows()).toEqual(before.filter((each) => each !== row));
      await sql.query(changeSql(deletion, 'undo', known));
      expect(await rows()).toEqual(before);
    }
    // Each row becomes the next one, and itself again.
    for (const [index, row] of before.entries()) {
      const id = (JSON.parse(row) as { id: number }).id;
      const after = before[(index + 1) % before.length]!.replace(/"id": \d+/, `"id": ${id}`);
      const update: ChangedRow = { ...table, operation: 'UPDATE', before: row, after, changed };
      await sql.query(changeSql(update, 'again', known));
      expect((await rows())[index]).toBe(after);
      await sql.query(changeSql(update, 'undo', known));
      expect(await rows()).toEqual(before);
    }
  }

  // Strings are read alike whatever the server takes a backslash for.
  await sql.query('SET standard_conforming_strings = off');
  const first: ChangedRow = { ...table, operation: 'INSERT', before: null, after: before[0]!, changed: null };
  await sql.query(changeSql(first, 'undo', facts));
  await sql.query(changeSql(first, 'again', facts));
  expect(await rows()).toEqual(before);
});

test('a row without a key is one that is the same', async () => {
  const database = await createDatabase();
  const sql = await database.connect();
  await sql.query(
    `CREATE TABLE t (a int, j json); INSERT INTO t VALUES (1, '{"x":1}'), (1, '{"x":1}'), (2, NULL)`,
  );
  const change: ChangedRow = {
    ...{ operation: 'DELETE', schema: 'public', table: 't', beforeKind: 'full' },
    ...{ before: '{"a":1,"j":{"x":1}}', after: null, changed: null },
  };
  await sql.query(changeSql(change, 'again', { key: [], plain: ['a'] }));
  const { rows } = await sql.query('SELECT a FROM t ORDER BY a');
  expect(rows).toEqual([{ a: 1 }, { a: 2 }]);
});

test('what the log doesn’t have makes no statement', () => {
  const table = { key: ['id'], plain: ['id'] };
  const change: ChangedRow = {
    ...{ operation: 'DELETE', schema: 'public', table: 'a\n; DROP TABLE b; --', beforeKind: 'key' },
    ...{ before: '{"id":1}', after: null, changed: null },
  };
  expect(changeSql(change, 'undo', table)).toBe(
    '-- DELETE public.a ; DROP TABLE b; --: only the key of the deleted row is known.',
  );
  expect(changeSql({ ...change, operation: 'TRUNCATE' }, 'again', table)).toMatch(
    /^TRUNCATE "public"\."a\n; DROP/,
  );
  for (const operation of ['TRUNCATE', 'UPDATE'] as const)
    expect(changeSql({ ...change, operation }, 'undo', table)).toMatch(/^-- [^\n]+$/);
  expect(changeSql({ ...change, before: null }, 'again', table)).toMatch(/^-- /);
});
