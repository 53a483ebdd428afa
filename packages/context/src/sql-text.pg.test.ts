import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { outcomeOf } from '../test/outcome.ts';
import { runWithBemiContext } from './context.ts';
import { wrapClient } from './pg.ts';

/** Pieces of SQL: what opens and closes strings, names, comments and statements, and what may stand within. */
const pieces = [
  ...["'", "''", "E'", "e'", "U&'", "B'", '\\', "\\'", '"', 'U&"', '$$', '$a$', '$é$', '$1', '$', 'a$b'],
  ...[
    '--',
    '\n',
    '\r',
    '/*',
    '*/',
    '/',
    '*',
    ';',
    ';;',
    '(',
    ')',
    ',',
    ' ',
    '\t',
    '\f',
    '\v',
    '\u00a0',
    '\ufeff',
  ],
  ...[
    'INSERT INTO t VALUES (1)',
    'insert into t values (2)',
    'UPDATE t SET v = 1',
    'DELETE FROM t',
    'TRUNCATE t',
  ],
  ...[
    'SELECT 1',
    'SELECT',
    ' INTO n ',
    'WITH x AS (',
    'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) ',
    'CREATE TABLE n AS ',
    'EXECUTE p',
    'é',
    '🩺',
  ],
  ...['VACUUM t', "ALTER SYSTEM SET cluster_name = 'x'", 'CREATE INDEX CONCURRENTLY ON t (v)', 'DISCARD ALL'],
  ...[
    'CALL twice()',
    "DO 'BEGIN INSERT INTO t VALUES (3); COMMIT; END'",
    'DO E',
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
  ],
  ...[
    'SAVEPOINT a',
    'ROLLBACK TO a',
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'LOCK t',
    'SET transaction_isolation = serializable',
  ],
] as const;

const anything = fc
  .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 10 })
  .map((chosen) => chosen.join(''));

const comment = fc.oneof(
  anything.map((text) => `--${text.replace(/[\r\n]/g, '')}\n`),
  anything.map((text) => `/*${text.replace(/[/*]/g, ' ')}*/`),
  anything.map((text) => `/* /*${text.replace(/[/*]/g, ' ')}*/ ; */`),
  fc.constant(' '),
);
const literal = fc.oneof(
  anything.map((text) => `'${text.replaceAll("'", "''")}'`),
  anything.map((text) => `E'${text.replace(/['\\]/g, '\\$&')}'`),
  anything.map((text) => `'${text.replace(/['\\]/g, '\\$&')}'`),
  anything.map((text) => `$x$${text}$x$`),
);
const well = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'INSERT INTO C t VALUES (1, L)',
        'C UPDATE t C SET v = L',
        'SELECT L C',
        'WITH x AS C (DELETE FROM t C RETURNING v) SELECT v, L AS l FROM x',
        'SELECT L AS "a; INSERT INTO t" C INTO n',
        'VACUUM C t',
        'ALTER SYSTEM SET cluster_name = C L',
        'DO C L',
        'COMMENT ON C TABLE t IS L',
        'BEGIN C',
        'COMMIT C',
      ),
      comment,
      literal,
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((statements) =>
    statements
      .map(([template, between, value]) => template.replaceAll('C', () => between).replace('L', () => value))
      .join(';'),
  );

const sql = fc.oneof(anything, { arbitrary: well, weight: 2 });

const seed = testSeed();

it.each(['on', 'off'])(
  `changes the outcome of no text, with standard_conforming_strings %s (TEST_SEED=${seed})`,
  async (setting) => {
    const database = await createDatabase();
    const plain = await database.connect();
    const wrapped = wrapClient(await database.connect());
    await plain.query(`
      CREATE TABLE t (id int PRIMARY KEY, v text);
      CREATE PROCEDURE twice() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (4); COMMIT; END'`);
    const outcomeOn = async (client: typeof plain, text: string, extended: boolean) => {
      await client.query('TRUNCATE t; DROP TABLE IF EXISTS n');
      await client.query(`SET standard_conforming_strings = ${setting}; SET escape_string_warning = off`);
      const outcome = await runWithBemiContext({ userId: 'u1' }, () => outcomeOf(client, text, { extended }));
      await client.query('ROLLBACK');
      const left = await client.query('TABLE t');
      return [outcome, left.rows];
    };

    await fc.assert(
      fc.asyncProperty(sql, fc.boolean(), async (text, extended) => {
        const expected = await outcomeOn(plain, text, extended);
        expect(await outcomeOn(wrapped, text, extended)).toEqual(expected);
      }),
      { numRuns: effort(400, 10_000), seed },
    );
  },
  600_000,
);
