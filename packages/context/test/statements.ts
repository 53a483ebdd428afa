/**
 * The statements that get a message, and those that never do: the table in docs/context.md is made of this, and each
 * example is run by real PostgreSQL with and without a context.
 */
import type { CarrierOptions } from '../src/pg.ts';

export interface StatementRow {
  /** As the table shows it, in Markdown. */
  readonly statement: string;
  readonly message: 'yes' | 'no' | 'by option';
  readonly because?: string;
  readonly options?: CarrierOptions;
  readonly examples: readonly (string | Example)[];
}

export interface Example {
  readonly sql: string;
  /** What the session does before, without a context. */
  readonly before?: string;
  /** Takes back what is not in the schema, so that the statement can run again. */
  readonly after?: string;
  /** Lines that are sent to COPY … FROM STDIN. */
  readonly input?: string;
  /** It runs without error outside of a transaction, unless this is set. */
  readonly fails?: string;
  /** The first major version of PostgreSQL that knows it. Default: all do. */
  readonly since?: number;
}

/** In each schema that an example runs in. */
export const SCHEMA = `
  CREATE TABLE t (id int PRIMARY KEY, v text);
  CREATE TABLE s (id int, v text);
  CREATE TABLE parted (id int) PARTITION BY LIST (id);
  CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
  CREATE INDEX i ON s (v);
  CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
  INSERT INTO t VALUES (1, 'a'), (2, 'b');
  CREATE FUNCTION put(int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES ($1) RETURNING id';
  CREATE FUNCTION "putMixed"(int) RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES ($1) RETURNING id';
  CREATE PROCEDURE put_all() LANGUAGE sql AS 'INSERT INTO t SELECT generate_series(5, 7)';
  CREATE PROCEDURE put_and_commit() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (5); COMMIT; INSERT INTO t VALUES (6); END'`;

const prepared = 'PREPARE p AS INSERT INTO t VALUES (9)';

export const statements: readonly StatementRow[] = [
  {
    statement: '`INSERT`',
    message: 'yes',
    examples: [
      'INSERT INTO t VALUES (9)',
      "insert into t values (1, 'x') on conflict (id) do update set v = excluded.v returning *",
      '\n\t (( SELECT 1 )); INSERT INTO t VALUES (9)',
      '-- who\n/* why ** / not */ INSERT INTO t VALUES (9)',
      '/* a /* nested; */ comment */ InSeRt INTO t VALUES (9)',
      ';; INSERT INTO "t" VALUES (9)',
      "INSERT INTO t VALUES (9, 'it''s; VACUUM')",
    ],
  },
  {
    statement: '`UPDATE`',
    message: 'yes',
    examples: ["UPDATE t SET v = 'x'", 'update only t set id = id + 10'],
  },
  { statement: '`DELETE`', message: 'yes', examples: ['DELETE FROM t WHERE id = 1 RETURNING v'] },
  {
    statement: '`MERGE`',
    message: 'yes',
    examples: [
      { sql: 'MERGE INTO t USING t AS o ON t.id = o.id WHEN MATCHED THEN UPDATE SET v = $$x$$', since: 15 },
    ],
  },
  {
    statement: '`TRUNCATE`',
    message: 'yes',
    examples: ['TRUNCATE t, s', 'truncate table s restart identity'],
  },
  {
    statement: '`COPY … FROM`',
    message: 'yes',
    examples: [
      { sql: 'COPY t FROM STDIN', input: '8\tx\n9\t\\N\n' },
      { sql: 'copy "t" (id) from stdin with (format csv)', input: '8\n9\n' },
      { sql: 'COPY t FROM STDIN', input: 'x\n', fails: '22P02' },
    ],
  },
  {
    statement: '`SELECT … INTO`',
    message: 'yes',
    examples: ['SELECT * INTO new FROM t', 'WITH x AS (SELECT 1 AS id) SELECT id INTO new FROM x'],
  },
  {
    statement: '`CREATE TABLE … AS`',
    message: 'yes',
    examples: [
      'CREATE TABLE new AS SELECT * FROM t',
      'CREATE UNLOGGED TABLE IF NOT EXISTS new (a) WITH (fillfactor = 70) AS VALUES (1)',
      { sql: 'CREATE TABLE new AS EXECUTE q', before: 'PREPARE q AS SELECT 1 AS id', after: 'DEALLOCATE q' },
    ],
  },
  {
    statement: '`EXECUTE` of a prepared statement',
    message: 'yes',
    because: 'what it does can’t be seen',
    examples: [
      { sql: 'EXECUTE p', before: prepared, after: 'DEALLOCATE p' },
      { sql: 'EXECUTE q', before: 'PREPARE q AS SELECT 1', after: 'DEALLOCATE q' },
    ],
  },
  {
    statement: '`WITH …` that holds a write',
    message: 'yes',
    examples: [
      'WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone',
      'with x as (select 9 as id)insert into t select id from x',
      'WITH x AS MATERIALIZED (/* ( */ UPDATE "t" SET v = 1 RETURNING id) SELECT count(*) FROM x',
    ],
  },
  {
    statement: '`EXPLAIN ANALYZE` of one of these',
    message: 'yes',
    examples: [
      'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) INSERT INTO t VALUES (9)',
      'EXPLAIN (COSTS off, ANALYZE, TIMING off, SUMMARY off, BUFFERS off) CREATE TABLE new AS SELECT 1',
    ],
  },
  {
    statement: 'several statements in one text, one of which is such',
    message: 'yes',
    examples: [
      'BEGIN; INSERT INTO t VALUES (9); COMMIT',
      "SELECT ';'; /* ; */ UPDATE t SET v = 1",
      String.raw`SELECT E'\''; INSERT INTO t VALUES (9)`,
      "SELECT $a$ ; $b$ $a$; INSERT INTO t VALUES (9, 'x')",
      'CREATE TABLE new (id int); INSERT INTO new VALUES (1)',
      'DO $$ BEGIN END $$; DELETE FROM t',
      { sql: 'INSERT INTO t VALUES (9); VACUUM t', fails: '25001' },
    ],
  },
  {
    statement:
      'the same, where `BEGIN ISOLATION LEVEL …`, `SET TRANSACTION …`, `SET transaction_…` or `LOCK` comes before the first write',
    message: 'no',
    because: 'a message in front would make it fail, or its snapshot older than its lock',
    examples: [
      'BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (9); COMMIT',
      'BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; UPDATE t SET v = 1; COMMIT',
      'BEGIN; SET LOCAL transaction_isolation TO serializable; DELETE FROM t; COMMIT',
      'START TRANSACTION READ WRITE; INSERT INTO t VALUES (9); COMMIT',
      'BEGIN; LOCK TABLE t; UPDATE t SET v = 1; COMMIT',
    ],
  },
  {
    statement: '`SELECT f()` where `f` writes',
    message: 'by option',
    because: "`writingFunctions: ['put']`",
    options: { writingFunctions: ['put', 'putMixed'] },
    examples: ['SELECT put(9)', 'select * from PUT (9)', 'SELECT "putMixed"(9)', 'VALUES (put(9))'],
  },
  {
    statement: '`CALL`',
    message: 'by option',
    because: '`call: true`, or the name in `writingFunctions`; then no procedure of these may commit inside',
    options: { call: true },
    examples: ['CALL put_all()', { sql: 'CALL put_and_commit()', fails: '2D000' }],
  },
  {
    statement: '`DO`',
    message: 'by option',
    because: '`do: true`; then no block may commit inside',
    options: { do: true },
    examples: ['DO $$ BEGIN INSERT INTO t VALUES (9); END $$'],
  },
  {
    statement: '`SELECT f()`, `CALL`, `DO` without these options',
    message: 'no',
    because: 'they may commit inside',
    examples: [
      'SELECT put(9)',
      'CALL put_all()',
      'CALL put_and_commit()',
      'DO $$ BEGIN INSERT INTO t VALUES (9); COMMIT; DELETE FROM t; END $$',
      String.raw`DO E'BEGIN INSERT INTO t VALUES (9, \'; insert into t values (1) --\'); COMMIT; END'`,
    ],
  },
  {
    statement: '`SELECT`, also `FOR UPDATE`; `VALUES`; `TABLE`; `WITH` of reads; cursors',
    message: 'no',
    because: 'they also work in `READ ONLY` transactions and on a standby',
    examples: [
      'SELECT * FROM t ORDER BY id',
      'SELECT * FROM t ORDER BY id FOR NO KEY UPDATE SKIP LOCKED',
      'SELECT \'a; INSERT INTO t VALUES (1)\' AS "insert into"',
      String.raw`SELECT E'it\'s; DELETE FROM t; '`,
      'SELECT $q$; DELETE FROM t $$ ; INSERT INTO t $q$',
      'SELECT 1 /* /* */ ; INSERT INTO t VALUES (1) */',
      'SELECT 1 -- ; INSERT INTO t VALUES (1)',
      'TABLE t ORDER BY id',
      'VALUES (1)',
      'WITH x AS (SELECT * FROM t) SELECT * FROM x ORDER BY id',
      'BEGIN; DECLARE c CURSOR FOR SELECT * FROM t ORDER BY id; FETCH ALL FROM c; COMMIT',
      '',
      ';',
      '-- INSERT INTO t VALUES (1)',
    ],
  },
  {
    statement: '`COPY (…) TO` with a write in the parentheses',
    message: 'no',
    because:
      '`pg-copy-streams` reads the answer from the socket itself, and would take the answer to the message for it',
    examples: ['COPY (INSERT INTO t VALUES (9) RETURNING id) TO STDOUT'],
  },
  {
    statement: '`COPY … TO`; `EXPLAIN` without `ANALYZE`; `EXPLAIN ANALYZE` of a read',
    message: 'no',
    examples: [
      'COPY t TO STDOUT',
      'COPY (SELECT * FROM t) TO STDOUT',
      'EXPLAIN (COSTS off) INSERT INTO t VALUES (1)',
      'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) SELECT 1',
    ],
  },
  {
    statement:
      '`BEGIN`, `COMMIT`, `SAVEPOINT`, `ROLLBACK TO`; `SET`, `SHOW`; `LISTEN`, `NOTIFY`; `PREPARE`, `DEALLOCATE`; `LOCK`',
    message: 'no',
    examples: [
      'BEGIN; SAVEPOINT a; ROLLBACK TO a; RELEASE a; COMMIT',
      "SET application_name = 'insert into t'",
      'SHOW search_path',
      'LISTEN inserted',
      "NOTIFY updates, 'delete'",
      { sql: prepared, after: 'DEALLOCATE p' },
      'BEGIN; LOCK TABLE t IN EXCLUSIVE MODE; COMMIT',
    ],
  },
  {
    statement: '`CREATE`, `ALTER`, `DROP` and other DDL; `REFRESH MATERIALIZED VIEW`; `ANALYZE`',
    message: 'no',
    examples: [
      'CREATE TABLE new (id int PRIMARY KEY)',
      'CREATE INDEX ON t (v)',
      'ALTER TABLE t ADD COLUMN n int DEFAULT 1',
      "CREATE VIEW w AS SELECT 'insert into t' AS a",
      'DROP TABLE s',
      'GRANT INSERT, UPDATE ON t TO public',
      "COMMENT ON TABLE t IS 'update t'",
      'REFRESH MATERIALIZED VIEW m',
      'ANALYZE t',
    ],
  },
  {
    statement:
      '`VACUUM`, `CREATE INDEX CONCURRENTLY`, `DROP INDEX CONCURRENTLY`, `REINDEX … CONCURRENTLY`, `DETACH PARTITION … CONCURRENTLY`, `CREATE DATABASE`, `DROP DATABASE`, `ALTER SYSTEM`, `DISCARD ALL`, and what else can’t run in a transaction block',
    message: 'no',
    because: 'with a message in front they would fail',
    examples: [
      'VACUUM t',
      'VACUUM (ANALYZE) t -- ; delete from t',
      'CREATE INDEX CONCURRENTLY new ON t (v)',
      'DROP INDEX CONCURRENTLY i',
      'REINDEX TABLE CONCURRENTLY t',
      { sql: 'ALTER TABLE parted DETACH PARTITION part CONCURRENTLY', since: 14 },
      { sql: 'CREATE DATABASE "insert into"', after: 'DROP DATABASE IF EXISTS "insert into"' },
      { sql: 'DROP DATABASE copy', before: 'CREATE DATABASE copy', after: 'DROP DATABASE IF EXISTS copy' },
      {
        sql: String.raw`ALTER SYSTEM SET cluster_name = E'it\'; insert into t values (9) --'`,
        after: 'ALTER SYSTEM RESET cluster_name',
      },
      'CLUSTER',
      'DISCARD ALL',
    ],
  },
];

/** The table of docs/context.md. */
export function statementTable(): string {
  const rows = statements.map(
    ({ statement, message, because }) =>
      `| ${statement} | ${because === undefined ? message : `${message}: ${because}`} |`,
  );
  return ['| statement | message |', '|---|---|', ...rows, ''].join('\n');
}
