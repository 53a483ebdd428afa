import { effort } from '@bemi-db/test-kit/effort';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import { recordedChanges } from '@bemi-db/test-kit/to-jsonb-oracle';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documents, refusedZero } from '../test/random-values/json-documents.ts';
import { createWorker } from './create-worker.ts';
import { maximumDepth } from './json-poison.ts';

test('what jsonb would reject is kept as it came, and recording goes on', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query(`CREATE TYPE wrapped AS (documents json[]);
                  CREATE TABLE t (id integer PRIMARY KEY, j json, w wrapped, b jsonb);
                  ALTER TABLE t REPLICA IDENTITY FULL`),
  );
  const insert = (id: number, j: string | null, b: string | null = null) =>
    sql.query('INSERT INTO t VALUES ($1, $2, NULL, $3)', [id, j, b]);
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  await insert(1, '{"a": "fine \\\\u0000"}');
  await insert(2, '{"a": "\\u0000"}');
  await insert(3, '["\\ud800"]');
  await insert(4, '[1e400000]');
  await sql.query(`INSERT INTO t VALUES (5, NULL, ROW(ARRAY['"\\u0000"', 'null']::json[]))`);
  await insert(6, nested(maximumDepth + 1));
  await insert(7, null, nested(maximumDepth + 1));
  await insert(8, nested(1_000), nested(1_000));
  await sql.query(`UPDATE t SET j = '"healed"' WHERE id = 2`);
  await sql.query(`UPDATE t SET j = '"\\ude00"' WHERE id = 1`);
  await sql.query('DELETE FROM t WHERE id IN (1, 8)');
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const { rows } = await trail.query(
    `SELECT c.operation, v.after->>'id' AS id, q.field, q.reason <> '' AS "hasReason", length(q.bytes) > 10 AS "hasBytes",
            c.before IS NULL AND c.after IS NULL AND c.primary_key IS NULL AS "isBlank"
       FROM bemi.change_log c JOIN bemi.changes v ON v.id = (c.log::bigint << 48) + c.sequence
       LEFT JOIN bemi.quarantine q ON q.log = c.log AND q.sequence = c.sequence
      ORDER BY c.sequence`,
  );
  const recorded = (operation: string, id: string | null) => ({
    operation,
    id,
    field: null,
    hasReason: null,
    hasBytes: null,
    isBlank: false,
  });
  const kept = (operation: string) => ({
    operation,
    id: null,
    field: 'row',
    hasReason: true,
    hasBytes: true,
    isBlank: true,
  });
  expect(rows).toEqual([
    recorded('INSERT', '1'),
    kept('INSERT'),
    kept('INSERT'),
    kept('INSERT'),
    kept('INSERT'),
    kept('INSERT'),
    kept('INSERT'),
    recorded('INSERT', '8'),
    kept('UPDATE'),
    kept('UPDATE'),
    kept('DELETE'),
    recorded('DELETE', null),
  ]);
});

test('what the source itself can turn into jsonb is recorded so, all else is kept', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query(`CREATE TYPE pair AS (a integer, b json);
                  CREATE TABLE t (id integer PRIMARY KEY, j json, a json[], p pair);
                  ALTER TABLE t REPLICA IDENTITY FULL`),
  );
  const seed = testSeed();
  const rowCount = effort(120, 5_000);
  const samples = fc.sample(
    documents.filter((text) => !refusedZero.test(text)),
    { numRuns: rowCount, seed },
  );
  for (const [id, text] of samples.entries()) {
    const columns = [
      `($1::json, NULL::json[], NULL::pair)`,
      `(NULL::json, ARRAY[NULL, $1::json], NULL::pair)`,
      `(NULL::json, NULL::json[], ROW(1, $1::json)::pair)`,
    ];
    await sql.query(`INSERT INTO t SELECT ${id}, * FROM (VALUES ${columns[id % 3]}) v`, [text]);
  }
  await sql.query(`
    CREATE FUNCTION pg_temp.said(row_ t) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
      RETURN to_jsonb(row_);
    EXCEPTION WHEN OTHERS THEN
      RETURN NULL;
    END $$`);
  const { rows } = await sql.query<{ said: string | null }>('SELECT pg_temp.said(t) FROM t ORDER BY id');
  // One by one: a statement for all takes the rows as they lie.
  await sql.query(`DO $$ BEGIN
    FOR i IN 0..${rowCount - 1} LOOP UPDATE t SET id = i WHERE id = i; END LOOP;
    FOR i IN 0..${rowCount - 1} LOOP DELETE FROM t WHERE id = i; END LOOP;
  END $$`);
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  await worker.run({ drain: true });

  const said = rows.map((row) => row.said);
  const poisoned = said.filter((text) => text === null).length;
  expect(Math.min(poisoned, rowCount - poisoned)).toBeGreaterThan(rowCount / 20);
  const none = said.map(() => null);
  const recorded = await recordedChanges(trail);
  expect(
    recorded.map(({ after }) => after),
    `TEST_SEED=${seed}`,
  ).toEqual([...said, ...said, ...none]);
  expect(
    recorded.map(({ before }) => before),
    `TEST_SEED=${seed}`,
  ).toEqual([...none, ...said, ...said]);
  expect(worker.status().quarantined).toBe(poisoned * 3);
});

test('a context that is no JSON object, or poison, does not cost its transaction', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE t (id integer PRIMARY KEY)'),
  );
  const contexts = [
    '{"userId": 1, "__proto__": {"a": 1}, "n": 12345678901234567890.10}',
    '[1]',
    '"text"',
    'null',
    ' ',
    '{"a": }',
    '{"a": 1} {"b": 2}',
    '\ufeff{"a": 1}',
    '{"a": "\\u0000"}',
    '{"a": "\\ud800"}',
    '{"a": 1e400000}',
    `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ' {"duplicate": 1, "duplicate": 2}\n',
  ];
  for (const [id, context] of contexts.entries()) {
    await sql.query('BEGIN');
    await sql.query(`SELECT pg_logical_emit_message(true, '_bemi', $1::text)`, [context]);
    await sql.query('INSERT INTO t VALUES ($1)', [id]);
    await sql.query('COMMIT');
  }
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '\\xff00fe'::bytea);
                   INSERT INTO t VALUES (${contexts.length}); COMMIT`);
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  await worker.run({ drain: true });

  const { rows } = await trail.query(
    `SELECT v.primary_key AS id, v.context::text, q.reason, encode(q.bytes, 'escape') AS bytes
       FROM bemi.changes v
       JOIN bemi.change_log c ON v.id = (c.log::bigint << 48) + c.sequence
       LEFT JOIN bemi.context_log x ON x.log = c.log AND x.transaction = c.transaction
       LEFT JOIN bemi.quarantine q ON q.log = x.log AND q.sequence = x.sequence AND q.field = 'context'
      ORDER BY v.id`,
  );
  const readable: Record<number, string> = {
    0: '{"n": 12345678901234567890.10, "userId": 1, "__proto__": {"a": 1}}',
    12: '{"duplicate": 2}',
  };
  expect(rows.map(({ id, context }) => [id, context])).toEqual(
    [...contexts, 'invalid bytes'].map((_, id) => [
      String(id),
      (streamsContext() ? readable[id] : undefined) ?? null,
    ]),
  );
  expect(worker.status().hasContext).toBe(streamsContext());
  if (!streamsContext()) {
    expect(worker.status().quarantined).toBe(0);
    return;
  }
  expect(rows.map(({ reason }) => reason)).toEqual([
    null,
    'not a JSON object',
    'not a JSON object',
    'not a JSON object',
    'not JSON',
    'not JSON',
    'not JSON',
    'not JSON',
    'null-character',
    'lone-surrogate',
    'number-overflow',
    'too-deep',
    null,
    'no text in the encoding UTF8',
  ]);
  expect(rows[1].bytes).toBe('[1]');
  expect(worker.status().quarantined).toBe(12);
});
