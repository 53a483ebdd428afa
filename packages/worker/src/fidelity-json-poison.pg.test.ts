import { createDatabase } from '@bemi-db/test-kit/database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { documents, numbers, refusedZero, strings } from '../test/random-values/json-documents.ts';
import { findJsonPoison, isJsonTooLarge, maximumDepth } from './json-poison.ts';

/** What both casts say of each text: true for accepted. */
const acceptance = `
  CREATE FUNCTION pg_temp.is_valid(value text, type regtype) RETURNS boolean LANGUAGE plpgsql AS $$
  BEGIN
    EXECUTE format('SELECT $1::%s', type) USING value;
    RETURN true;
  EXCEPTION WHEN OTHERS THEN
    RETURN false;
  END $$`;

test('poison is what the cast from json to jsonb rejects, and nothing else', async () => {
  const client = await (await createDatabase()).connect();
  await client.query(acceptance);
  const seed = testSeed();
  const texts = [
    ...fc.sample(documents, { numRuns: 1_500, seed }),
    ...fc.sample(numbers, { numRuns: 1_500, seed }),
    ...fc.sample(strings, { numRuns: 1_500, seed }),
  ];
  const { rows } = await client.query<{ isJson: boolean; isJsonb: boolean }>(
    `SELECT pg_temp.is_valid(t, 'json') AS "isJson", pg_temp.is_valid(t, 'jsonb') AS "isJsonb"
       FROM unnest($1::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n`,
    [texts],
  );
  const wrong: string[] = [];
  const counts = { clean: 0, poison: 0 };
  for (const [i, text] of texts.entries()) {
    if (!rows[i]!.isJson) wrong.push(`not JSON: ${text.slice(0, 200)}`);
    const bytes = Buffer.from(text);
    const poison = findJsonPoison(bytes, 0, bytes.length);
    counts[poison ? 'poison' : 'clean']++;
    if (serverMajor() >= 16 && poison === 'number-overflow' && refusedZero.test(text)) continue;
    if (rows[i]!.isJsonb !== (poison === undefined)) {
      wrong.push(
        `TEST_SEED=${seed}: jsonb ${rows[i]!.isJsonb ? 'accepts' : 'rejects'} (${poison}): ${text.slice(0, 200)}`,
      );
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(Math.min(counts.clean, counts.poison)).toBeGreaterThan(500);
});

test('what is nested too deep, or grows too large, is called so before jsonb rejects it', async () => {
  const client = await (await createDatabase()).connect();
  await client.query(acceptance);
  const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
  const deepest = Buffer.from(nested(maximumDepth));
  expect(findJsonPoison(deepest, 0, deepest.length)).toBeUndefined();
  const deeper = Buffer.from(nested(maximumDepth + 2));
  expect(findJsonPoison(deeper, 0, deeper.length)).toBe('too-deep');
  const { rows } = await client.query(`SELECT pg_temp.is_valid($1, 'jsonb') AS deepest`, [
    nested(maximumDepth),
  ]);
  expect(rows).toEqual([{ deepest: true }]);

  // 23 million zeros: 46 MB of text, 269 MB of jsonb.
  const zeros = Buffer.from(`[0${',0'.repeat(23_000_000)}]`);
  expect(isJsonTooLarge(zeros, 0, zeros.length)).toBe(true);
  const { rows: large } = await client.query(
    `SELECT pg_temp.is_valid('[0' || repeat(',0', 23000000) || ']', 'jsonb') AS zeros`,
  );
  expect(large).toEqual([{ zeros: false }]);
  const text = Buffer.from(`{"a":"${'a, "b": '.replaceAll('"', '\\"').repeat(5_000_000)}"}`);
  expect(isJsonTooLarge(text, 0, text.length)).toBe(false);
});
