import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import { awkwardTexts } from '@bemi-db/test-kit/type-samples';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

/** Types that users make, each made of those before it. */
const typeStatements = `
  CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION cube;
  CREATE TYPE mood AS ENUM ('good', '', 'NULL', 'so "so"', 'a,b', '{}', '\\', 'ß😀', 'true', '1');
  CREATE DOMAIN amount AS numeric(20, 5) CHECK (value > -1e10);
  CREATE DOMAIN small_amount AS amount CHECK (value < 1e10);
  CREATE DOMAIN moods AS mood[];
  CREATE DOMAIN moment AS timestamptz;
  CREATE DOMAIN document AS json;
  CREATE DOMAIN corners AS box;
  CREATE DOMAIN labels AS hstore;
  CREATE TYPE pair AS (name text, "Va""l,ue\\" amount);
  CREATE TYPE single AS (only_one integer);
  CREATE TYPE nothing AS ();
  CREATE DOMAIN named_pair AS pair CHECK ((value).name <> 'x');
  CREATE TYPE deep AS ("__proto__" pair, constructor pair[], d document, f boolean, at moment, n nothing,
                       s single, m moods, b box[], c corners[], v int2vector, h hstore, e mood, r int4range);
  CREATE TYPE amounts AS RANGE (subtype = amount);
  CREATE SCHEMA "Other.schema";
  CREATE TYPE "Other.schema"."Type ""é" AS (deep deep, deeps deep[]);`;

/** Expressions for each type. The strings of awkward texts come as $1::text[]. */
const expressions: Readonly<Record<string, readonly string[]>> = {
  mood: [`'good'`, `''`, `'NULL'`, `'so "so"'`, `'a,b'`, `'{}'`, `'\\'`, `'ß😀'`, `'true'`, `'1'`],
  'mood[]': [`enum_range(NULL::mood)`, `'{}'`, `ARRAY[[NULL, 'NULL'], ['', 'a,b']]::mood[]`],
  amount: [`1`, `'NaN'`, `-1.5`],
  'small_amount[]': [`ARRAY[1, NULL, -2.5]::small_amount[]`],
  moods: [`'{}'`, `enum_range(NULL::mood)`],
  'moods[]': [`'{"{good,NULL}",NULL,"{}","{\\"NULL\\",\\"a,b\\"}"}'`],
  moment: [`'infinity'`, `'0044-03-15 BC'`, `'2020-01-02 03:04:05.6+05:30'`],
  'moment[]': [`ARRAY['infinity', NULL, '10000-01-01']::moment[]`],
  document: [`'{"a": 1, "a": [1.0, 1e2]}'`],
  'document[]': [`ARRAY['{"a": "\\""}', 'null', NULL]::document[]`],
  corners: [`'(1,1),(0,0)'`],
  'corners[]': [`ARRAY['(1,1),(0,0)', NULL, '(2,2),(1,1)']::corners[]`],
  citext: [`'Ä"\\'`, `''`],
  'citext[]': [`$1::text[]::citext[]`],
  ltree: [`'a.b.c'`],
  cube: [`'(1,2),(3,4)'`],
  hstore: [
    `''`,
    `hstore($1::text[], $1::text[])`,
    `'a=>NULL, b=>"NULL", c=>1, d=>true, ""=>""'`,
    `'"k=>"=>"v=>", "," => ", "'`,
  ],
  'hstore[]': [`ARRAY['a=>NULL', NULL, hstore($1::text[], $1::text[])]::hstore[]`],
  labels: [`'a=>"\\"\\\\"'`],
  'labels[]': [`ARRAY['a=>1, b=>2', NULL]::labels[]`],
  pair: [`ROW('a', 1)`, `ROW(NULL, NULL)`, `ROW('', 'NaN')`, `ROW('NULL', -1.5)`],
  'pair[]': [
    `(SELECT array_agg(ROW(t, 1)::pair) FROM unnest($1::text[]) t)`,
    `ARRAY[NULL, ROW(NULL, NULL)]::pair[]`,
    `ARRAY[[ROW('{', 1)], [ROW('"', 2)]]::pair[]`,
  ],
  named_pair: [`ROW('a"\\', 1)`],
  'named_pair[]': [`ARRAY[ROW('a', 1), NULL]::named_pair[]`],
  single: [`ROW(NULL)`, `ROW(1)`],
  'single[]': [`ARRAY[ROW(NULL), NULL, ROW(-5)]::single[]`],
  nothing: [`ROW()`],
  'nothing[]': [`ARRAY[ROW(), NULL]::nothing[]`],
  amounts: [`'[1.5,2)'`, `'empty'`],
  'amounts[]': [`ARRAY['(,2)', NULL]::amounts[]`],
  deep: [
    `ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
    `ROW(ROW('a"b\\,()', 1), ARRAY[ROW('{"x"}', 2), NULL]::pair[], '{"a": "b\\"c"}', true,
         '2020-01-01 00:00:00+02', ROW(), ROW(NULL), enum_range(NULL::mood)::moods, '{(1,1),(0,0);NULL}',
         ARRAY['(1,1),(0,0)', NULL]::corners[], '1 2', 'a=>"\\"b"', 'so "so"', '[1,3)')`,
  ],
  'deep[]': [
    `ARRAY[NULL, ROW(ROW('a"b\\,()', 1), ARRAY[ROW('{"x"}', 2), NULL]::pair[], '{"a": "b\\"c"}', true,
       '2020-01-01 00:00:00+02', ROW(), ROW(NULL), enum_range(NULL::mood)::moods, '{(1,1),(0,0);NULL}',
       ARRAY['(1,1),(0,0)', NULL]::corners[], '1 2', 'a=>"\\"b"', 'so "so"', '[1,3)')]::deep[]`,
  ],
  '"Other.schema"."Type ""é"': [
    `(SELECT ROW(d, ARRAY[d, NULL])::"Other.schema"."Type ""é" FROM (
       SELECT ROW(ROW(t, 1), ARRAY[ROW(t, NULL)]::pair[], to_json(t), false, NULL, NULL, ROW(5), '{NULL}'::moods, NULL,
                  NULL, NULL, hstore(t, t), 'ß😀', NULL)::deep AS d
         FROM (SELECT array_to_string($1::text[], '|') AS t) all_texts) one)`,
  ],
};

test('enums, domains, composites, ranges, extensions, and arrays of all of them', async () => {
  const types = Object.keys(expressions);
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(typeStatements);
    const tables: Record<string, readonly string[]> = {};
    for (const [number, type] of types.entries()) {
      await client.query(`CREATE TABLE of_type_${number} (id integer, v ${type});
                          ALTER TABLE of_type_${number} REPLICA IDENTITY FULL`);
      tables[`of_type_${number}`] = [];
    }
    await watchRows(client, tables);
  });
  // hstore has no empty keys twice, and no text is longer than a key may be.
  const texts = awkwardTexts.map((text) => text.slice(0, 500));
  for (const [number, type] of types.entries()) {
    const values = expressions[type]!;
    for (const [id, value] of [...values, 'NULL'].entries()) {
      const parameters = value.includes('$1') ? [texts] : [];
      await sql.query(`INSERT INTO of_type_${number} SELECT ${id}, (${value})::${type}`, parameters);
    }
    await sql.query(
      `UPDATE of_type_${number} t SET v = o.v FROM of_type_${number} o WHERE o.id = (t.id + 1) % $1`,
      [values.length + 1],
    );
    await sql.query(`DELETE FROM of_type_${number}`);
  }
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const watched = await watchedChanges(sql);
  expect(watched.length).toBeGreaterThan(types.length * 6);
  expect(differences(watched, await recordedChanges(trail))).toEqual([]);
});
