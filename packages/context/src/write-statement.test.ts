import { describe, expect, it } from 'vitest';
import { changesRows, changesRowsWith, isPlainWrite } from './write-statement.ts';

const writes = [
  'INSERT INTO t VALUES (1)',
  'update t set a = 1',
  'DELETE FROM ONLY "t"',
  'MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE',
  'TRUNCATE t, u CASCADE',
  '\n\t  insert into t values (1)',
  '-- who\n/* why ** / not */ INSERT INTO t VALUES (1)',
  '/* a /* nested */ comment */ INSERT INTO t VALUES (1)',
  ';; INSERT INTO t VALUES (1)',
  '--------------------------------------------------------\ndelete from t',
  'COPY t FROM STDIN',
  'COPY "t" (a, b) FROM STDIN WITH (FORMAT csv)',
  'copy public."from" from stdin',
  'SELECT a INTO u FROM t',
  'select * into temp u from t',
  'CREATE TABLE u AS SELECT * FROM t',
  'CREATE TEMP TABLE IF NOT EXISTS u (a) WITH (fillfactor = 70) AS VALUES (1)',
  'create unlogged table u as table t',
  'EXECUTE insert_user(1)',
  'WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone',
  'WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x',
  'WITH x AS MATERIALIZED (\n UPDATE "t" SET a = 1 RETURNING *) SELECT 1',
  'with x as (select 1)update t set a = 1',
  'EXPLAIN ANALYZE INSERT INTO t VALUES (1)',
  'EXPLAIN (COSTS off, ANALYZE) DELETE FROM t',
  'explain analyze verbose with x as (select 1) update t set a = 1',
  'EXPLAIN (ANALYZE) CREATE TABLE u AS SELECT 1',
  'BEGIN; INSERT INTO t VALUES (1); COMMIT',
  'SELECT 1; DELETE FROM t',
  "SET LOCAL app.user = 'x;y'; UPDATE t SET a = 1",
  "SELECT ';'; /* ; */ UPDATE t SET a = 1",
  "SELECT $a$ ; $b$ $a$; INSERT INTO t VALUES ('x')",
  String.raw`SELECT E'\''; INSERT INTO t VALUES (1)`,
];

const reads = [
  '',
  ';',
  '-- INSERT INTO t VALUES (1)',
  '/* INSERT INTO t */',
  'SELECT 1',
  'SELECT "updatedAt" AS "insert" FROM "Patient"',
  'SELECT * FROM t FOR UPDATE',
  'SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED',
  "SELECT 'a; INSERT INTO t VALUES (1)'",
  "SELECT 'it''s; INSERT INTO t'",
  String.raw`SELECT E'it\'s; DELETE FROM t; '`,
  'SELECT "a; DELETE FROM t"',
  'SELECT $$; INSERT INTO t VALUES (1)$$',
  'SELECT $q$; DELETE FROM t $$ ; INSERT INTO t $q$',
  'SELECT 1 -- ; INSERT INTO t VALUES (1)',
  'SELECT 1 /* /* */ ; INSERT INTO t VALUES (1) */',
  "SELECT ' into '",
  'SELECT $1::text; SELECT 2',
  'SELECT tag$a$ FROM t',
  'TABLE t',
  'VALUES (1)',
  'WITH x AS (SELECT 1) SELECT * FROM x FOR UPDATE',
  'WITH x AS (SELECT max(update), count(delete) FROM t) SELECT * FROM x',
  "WITH x AS (SELECT '(INSERT INTO t') SELECT * FROM x",
  'WITH x AS (SELECT 1) SELECT (updatedat) FROM x',
  'COPY t TO STDOUT',
  'COPY from_table TO STDOUT',
  'COPY (SELECT * FROM t) TO STDOUT',
  'COPY (INSERT INTO t VALUES (1) RETURNING id) TO STDOUT',
  'EXPLAIN INSERT INTO t VALUES (1)',
  'EXPLAIN (FORMAT json) DELETE FROM t',
  'EXPLAIN ANALYZE SELECT 1',
  'PREPARE p AS INSERT INTO t VALUES (1)',
  'DEALLOCATE p',
  'BEGIN',
  'COMMIT',
  'ROLLBACK TO SAVEPOINT s',
  'SAVEPOINT s',
  'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
  'LISTEN inserted',
  "NOTIFY updates, 'delete'",
  'DECLARE c CURSOR FOR SELECT * FROM t',
  'CREATE TABLE t (id int PRIMARY KEY)',
  'CREATE INDEX ON t (a)',
  'ALTER TABLE t ADD COLUMN a int',
  'GRANT INSERT, UPDATE ON t TO u',
];

const mayNotShareATransaction = [
  'VACUUM t',
  'VACUUM (ANALYZE) t -- ; delete from t',
  '/* ; insert into t */ CALL archive()',
  'CALL insert_all(1)',
  'DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$',
  'CREATE INDEX CONCURRENTLY i ON t (updated)',
  'CREATE DATABASE copy',
  'DROP DATABASE "insert into"',
  'REINDEX TABLE CONCURRENTLY t',
  "ALTER SYSTEM SET x = '; update t'",
  // Strings as they are without standard_conforming_strings.
  String.raw`ALTER SYSTEM SET cluster_name = 'it\'; insert into t values (9) --'`,
  String.raw`DO 'BEGIN PERFORM \'; insert into t values (9) --\'; COMMIT; END'`,
  String.raw`CREATE DATABASE a LOCALE 'it\'; insert into t values (9) --'`,
];

const mustComeFirst = [
  'BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (1); COMMIT',
  'BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; UPDATE t SET a = 1; COMMIT',
  "BEGIN; SET TRANSACTION SNAPSHOT '1'; DELETE FROM t; COMMIT",
  'START TRANSACTION READ WRITE; INSERT INTO t VALUES (1); COMMIT',
  'BEGIN; LOCK TABLE t; UPDATE t SET a = 1; COMMIT',
];

describe('changesRows', () => {
  it.each(writes)('takes for a write: %s', (sql) => expect(changesRows(sql)).toBe(true));
  it.each(reads)('takes for a read: %s', (sql) => expect(changesRows(sql)).toBe(false));
  it.each(mayNotShareATransaction)('leaves alone: %s', (sql) => expect(changesRows(sql)).toBe(false));
  it.each(mustComeFirst)('puts nothing before: %s', (sql) => expect(changesRows(sql)).toBe(false));

  it.each([
    ['SELECT archive(1)', true],
    ['select * from app.ARCHIVE (1)', true],
    ['SELECT "app"."archive"(1)', true],
    ['WITH x AS (SELECT 1) SELECT archive(2) FROM x', true],
    ['CALL archive()', true],
    ['CALL other()', false],
    ['DO $$ BEGIN PERFORM archive(1); END $$', false],
    ['SELECT archive FROM t', false],
    ['SELECT unarchive(1)', false],
    ['CREATE INDEX CONCURRENTLY i ON t (archive(id))', false],
  ])('knows the functions that the application names: %s', (sql, expected) =>
    expect(changesRowsWith({ writingFunctions: ['archive', 'a.b(c'] })(sql)).toBe(expected),
  );

  it.each([
    ['blanks', ' '.repeat(200_000)],
    ['dashes', '-'.repeat(200_000)],
    ['dashes and newlines', '--\n'.repeat(100_000)],
    ['slashes', '/*'.repeat(100_000)],
    ['parentheses', `with x as ${'('.repeat(100_000)} insert`],
    ['quotes', `select insert ${"'".repeat(100_001)}`],
    ['options', `explain (${'analyze '.repeat(400_000)} insert`],
    ['dollars', `select insert ${'$'.repeat(100_000)}`],
  ])('is not slowed down by many %s', (_, sql) => expect(changesRows(`${sql} (`)).toBe(false));
});

it.each([
  ['INSERT INTO t VALUES (1)', true],
  ['-- who\nmerge into t', true],
  ['WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone', true],
  ['select put(1)', true],
  ['CALL put(1)', false],
  ['/* with */ CALL put(1)', false],
  ['DO $$ BEGIN END $$', false],
  ['COPY t FROM STDIN', false],
])('%s: what goes behind it is in its transaction: %s', (sql, isPlain) => {
  expect(isPlainWrite(sql)).toBe(isPlain);
});
