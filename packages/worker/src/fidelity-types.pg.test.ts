import { type ArrayElements, arrayLiteral } from '@bemi-db/test-kit/array-literal';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import { typeSamples, typesWithoutValues } from '@bemi-db/test-kit/type-samples';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

const samplesOf = typeSamples(serverMajor());
const types = Object.keys(samplesOf);

test('no built-in type is forgotten', async () => {
  const { sql } = await createRecordedDatabase(async () => undefined);
  const { rows } = await sql.query<{ name: string }>(
    `SELECT typname AS name FROM pg_type t
      WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typcategory <> 'A'
        AND oid <> ALL (SELECT to_regtype(name)::oid FROM unnest($1::text[]) AS name)
      ORDER BY typname`,
    [types.filter((type) => !type.includes('('))],
  );
  // Those with a modifier are sampled under it alone.
  const sampledWithModifier = ['bit', 'bpchar', 'varbit'];
  expect(rows.map(({ name }) => name).filter((name) => !sampledWithModifier.includes(name))).toEqual(
    typesWithoutValues(serverMajor()),
  );
});

test('every built-in type and its arrays', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) => makeTables(client));
  for (const [number, type] of types.entries()) {
    const samples = samplesOf[type]!;
    await sql.query(
      `INSERT INTO of_type_${number} SELECT number, v::${type}, w::${type}[]
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS sample(v, w, number)`,
      [
        [...samples, null, null],
        [...arrays(samples, type === 'box' ? ';' : ','), null],
      ],
    );
    // Each row takes the values of the next one.
    await sql.query(
      `UPDATE of_type_${number} t SET v = o.v, w = o.w FROM of_type_${number} o WHERE o.id = t.id % $1 + 1`,
      [samples.length + 2],
    );
    await sql.query(`DELETE FROM of_type_${number}`);
  }
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const watched = await watchedChanges(sql);
  expect(watched.length).toBeGreaterThan(types.length * 6);
  expect(differences(watched, await recordedChanges(trail))).toEqual([]);
});

test('a "char" of any byte, which PostgreSQL 15 and later print in ASCII', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query(`CREATE DOMAIN own AS "char"; CREATE TYPE pair AS (a integer, b own);
      CREATE TABLE plain (id integer PRIMARY KEY, v "char"); ALTER TABLE plain REPLICA IDENTITY FULL;
      CREATE TABLE made (id integer PRIMARY KEY, v "char"[], w pair); ALTER TABLE made REPLICA IDENTITY FULL`),
  );
  const byte = `(-61)::integer::"char"`;
  await sql.query(`INSERT INTO plain VALUES (1, ${byte})`);
  await sql.query(`UPDATE plain SET v = 'a'`);
  await sql.query(
    `INSERT INTO made VALUES (2, ARRAY[${byte}], NULL), (3, NULL, ROW(1, ${byte})), (4, '{a}', ROW(1, 'b'))`,
  );
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  await worker.run({ drain: true });

  const isPrinted = serverMajor() >= 15;
  expect((await recordedChanges(trail)).map(({ before, after }) => [before, after])).toEqual([
    [null, isPrinted ? '{"v": "\\\\303", "id": 1}' : null],
    isPrinted ? ['{"v": "\\\\303", "id": 1}', '{"v": "a", "id": 1}'] : [null, null],
    [null, isPrinted ? '{"v": ["\\\\303"], "w": null, "id": 2}' : null],
    [null, isPrinted ? '{"v": null, "w": {"a": 1, "b": "\\\\303"}, "id": 3}' : null],
    [null, '{"v": ["a"], "w": {"a": 1, "b": "b"}, "id": 4}'],
  ]);
  expect(worker.status().quarantined).toBe(isPrinted ? 0 : 4);
});

async function makeTables(client: pg.Client): Promise<void> {
  const tables: Record<string, readonly string[]> = {};
  for (const [number, type] of types.entries()) {
    await client.query(`CREATE TABLE of_type_${number} (id integer PRIMARY KEY, v ${type}, w ${type}[]);
                        ALTER TABLE of_type_${number} REPLICA IDENTITY FULL`);
    tables[`of_type_${number}`] = [];
  }
  await watchRows(client, tables);
}

/** One array more than samples: every sample stands in one, in one of several forms. */
function arrays(samples: readonly string[], delimiter: string): string[] {
  const forms: ((sample: string, next: string) => ArrayElements)[] = [
    (sample) => [sample],
    (sample, next) => [null, sample, null, next],
    (sample, next) => [[sample], [next]],
    (sample, next) => [
      [
        [sample, null],
        [next, next],
      ],
      [
        [null, null],
        [next, sample],
      ],
    ],
    () => [],
    () => [null],
  ];
  const literals = samples.map((sample, i) => {
    const next = samples[(i + 1) % samples.length]!;
    const elements = forms[i % 4]!(sample, next);
    return arrayLiteral(elements, delimiter, i % 3 === 1 ? -1 : 1);
  });
  return [...literals, arrayLiteral(forms[4 + (samples.length % 2)]!('', ''), delimiter)];
}
