import { createDatabase } from '@bemi-db/test-kit/database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonPoison, isJsonTooLarge, maximumDepth } from './json-poison.ts';

const digits = fc.stringMatching(/^[0-9]{1,6}$/);
const zeros = fc
  .constantFrom(0, 1, 16_380, 16_383, 16_384, 131_068, 131_071, 131_072, 131_073)
  .map((n) => '0'.repeat(n));
const exponents = fc.oneof(
  fc.integer({ min: 16_370, max: 16_390 }),
  fc.integer({ min: 131_060, max: 131_080 }),
  fc.integer({ min: 1_073_741_820, max: 1_073_741_826 }),
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(2_147_483_647, 2_147_483_648, 10 ** 20),
);
const exponentText = fc
  .tuple(fc.constantFrom('e', 'E', 'e+', 'E-', 'e-', 'e0', 'e-00'), exponents)
  .map(([mark, exponent]) => mark + BigInt(exponent));
const numbers = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      fc.tuple(fc.constantFrom('1', '9'), zeros).map((parts) => parts.join('')),
      fc.tuple(fc.constantFrom('1', '90'), digits).map((parts) => parts.join('')),
    ),
    fc.oneof(
      fc.constant(''),
      fc.tuple(zeros, digits).map((parts) => `.${parts.join('')}`),
      fc.tuple(digits, zeros).map((parts) => `.${parts.join('')}`),
    ),
    fc.oneof(fc.constant(''), exponentText),
  )
  .map((parts) => parts.join(''));

const stringParts = fc.constantFrom(
  '\\u0000',
  '\\\\u0000',
  '\\\\\\u0000',
  '\\ud83d',
  '\\uD83D',
  '\\ude00',
  '\\uDFFF',
  '\\udbff',
  '\\ud83d\\ude00',
  '\\u0001',
  '\\ue000',
  '\\uffff',
  '\\n',
  '\\\\',
  '\\"',
  '\\/',
  'u0000',
  'a',
  '😀',
  '[',
  '{',
  '1e400000',
  ' ',
);
const strings = fc.array(stringParts, { maxLength: 5 }).map((parts) => `"${parts.join('')}"`);
/** What PostgreSQL takes from 16 on. Zero alone fits with such an exponent, and we refuse it everywhere. */
const zeroThatIsRefused = /e\+?0*1073741823(?![0-9])/i;
const space = fc.constantFrom('', ' ', '\n\t', '\r');
const { value: documents } = fc.letrec<{ value: string }>((tie) => ({
  value: fc
    .tuple(
      space,
      fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        strings,
        numbers,
        fc.constantFrom('true', 'false', 'null', '[]', '{}'),
        fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(',')}]`),
        fc
          .array(fc.tuple(strings, space, tie('value')), { maxLength: 3 })
          .map((members) => `{${members.map(([key, gap, value]) => `${key}${gap}:${value}`).join(',')}}`),
      ),
      space,
    )
    .map((parts) => parts.join('')),
}));

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
  const seed = Date.now() & 0x7fffffff;
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
    if (serverMajor() >= 16 && poison === 'number-overflow' && zeroThatIsRefused.test(text)) continue;
    if (rows[i]!.isJsonb !== (poison === undefined)) {
      wrong.push(
        `seed ${seed}: jsonb ${rows[i]!.isJsonb ? 'accepts' : 'rejects'} (${poison}): ${text.slice(0, 200)}`,
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
