import { type ArrayElements, arrayLiteral } from '@bemi-db/test-kit/array-literal';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import { awkwardTexts } from '@bemi-db/test-kit/type-samples';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

const padded = (value: number, width: number) => String(value).padStart(width, '0');
const digits = (maximum: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maximum}}$`));
const sign = fc.constantFrom('', '-');
const specialNumbers = fc.constantFrom('NaN', 'Infinity', '-Infinity');
const floatText = (double: fc.Arbitrary<number>) =>
  double.map((value) => (Object.is(value, -0) ? '-0' : String(value)));

const date = fc
  .tuple(
    fc.integer({ min: 1, max: 12_000 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
  .map(([year, month, day]) => `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`);
const time = fc
  .tuple(
    fc.integer({ min: 0, max: 23 }),
    fc.integer({ min: 0, max: 59 }),
    fc.integer({ min: 0, max: 59_999_999 }),
  )
  .map(([hours, minutes, micros]) => {
    return `${padded(hours, 2)}:${padded(minutes, 2)}:${padded(Math.floor(micros / 1e6), 2)}.${padded(micros % 1e6, 6)}`;
  });
const zone = fc
  .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 14 }), fc.constantFrom('00', '30', '45'))
  .map(([sign_, hours, minutes]) => `${sign_}${padded(hours, 2)}:${minutes}`);
// Timestamps begin in 4713 BC.
const timestamp = fc
  .tuple(date, time, fc.boolean())
  .map(([d, t, isBefore]) => `${d} ${t}${isBefore && d[4] === '-' && d < '4000' ? ' BC' : ''}`);

const text = fc.oneof(
  fc.constantFrom(...awkwardTexts.filter((value) => value.length < 100)),
  fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.replaceAll('\0', '')),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', '(', ')', ' ', 'N', 'a', "'", '\n', ';') }),
);

/** JSON with the freedom that the type json has and `JSON.stringify` does not use. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text.map((value) => JSON.stringify(value)),
    fc
      .tuple(sign, fc.integer({ min: 0 }), fc.constantFrom('', '.0', '.10', 'e5', 'E-5', '.5e+300'))
      .map((parts) => parts.join('')),
    fc.constantFrom('true', ' false', 'null\n', '"\\u00e9\\ud83d\\ude00\\/"'),
    fc.array(tie('json'), { maxLength: 3 }).map((values) => `[ ${values.join(' ,\t')}]`),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', '', '__proto__'), tie('json')), { maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `"${key}" : ${value}`).join(',')} }`),
  ),
}));

/** Texts that are values of a type. */
const generators: Readonly<Record<string, fc.Arbitrary<string>>> = {
  boolean: fc.constantFrom('t', 'f'),
  smallint: fc.integer({ min: -32768, max: 32767 }).map(String),
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  numeric: fc.oneof(
    serverMajor() < 14 ? fc.constant('NaN') : specialNumbers,
    fc
      .tuple(sign, digits(40), fc.constantFrom('.', '.000', 'e-20', 'e30'), digits(2))
      .map((parts) => parts.join('')),
  ),
  real: fc.oneof(specialNumbers, floatText(fc.float({ noNaN: true }))),
  'double precision': fc.oneof(specialNumbers, floatText(fc.double({ noNaN: true }))),
  text,
  'char(12)': text.map((value) => [...value].slice(0, 12).join('')),
  bytea: fc.uint8Array({ maxLength: 40 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  date: fc.oneof(fc.constantFrom('infinity', '-infinity'), date),
  timetz: fc.tuple(time, zone).map((parts) => parts.join('')),
  timestamp,
  timestamptz: fc.tuple(date, time, zone).map(([d, t, z]) => `${d} ${t}${z}`),
  interval: fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -999, max: 999 }), sign, time)
    .map(([months, days, minus, t]) => `${months} months ${days} days ${minus}${t}`),
  json,
  jsonb: json,
  uuid: fc.uuid(),
  inet: fc.oneof(fc.ipV4(), fc.ipV6()),
  varbit: fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 20 }),
  numrange: fc
    .tuple(fc.integer({ min: -99, max: 0 }), fc.integer({ min: 1, max: 99 }), fc.constantFrom('.50', ''))
    .map(([low, high, fraction]) => `[${low}${fraction},${high}${fraction})`),
  box: fc
    .tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer())
    .map(([a, b, c, d]) => `(${a},${b}),(${c},${d})`),
};
const types = Object.keys(generators);

/** Arrays of one to three dimensions. */
function arrays(type: string): fc.Arbitrary<string> {
  const element = fc.option(generators[type]!, { freq: 4 });
  const shaped = (depth: number, length: number): fc.Arbitrary<ArrayElements> =>
    fc.array<ArrayElements[number]>(depth === 1 ? element : shaped(depth - 1, length), {
      minLength: length,
      maxLength: length,
    });
  return fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: -2, max: 2 }))
    .chain(([depth, length, lowerBound]) =>
      shaped(depth, length).map((elements) => arrayLiteral(elements, type === 'box' ? ';' : ',', lowerBound)),
    );
}

const rowCount = 150;

test('generated rows, inserted, updated and deleted', async () => {
  const columns = types.map((type, i) => `v${i} ${type}, w${i} ${type}[]`).join(', ');
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(`CREATE TYPE whole AS (${columns});
                        CREATE TABLE t (id integer PRIMARY KEY, whole whole, ${columns});
                        ALTER TABLE t REPLICA IDENTITY FULL`);
    await watchRows(client, { t: [] });
  });
  const seed = Date.now() & 0x7fffffff;
  const samples = types.flatMap((type, i) => [
    fc.sample(fc.option(generators[type]!), { numRuns: rowCount, seed: seed + i }),
    fc.sample(fc.option(arrays(type)), { numRuns: rowCount, seed: seed + i }),
  ]);
  const values = types.flatMap((type, i) => [
    `$${i * 2 + 1}::text::${type}`,
    `$${i * 2 + 2}::text::${type}[]`,
  ]);
  for (let id = 0; id < rowCount; id++) {
    await sql.query(
      `INSERT INTO t VALUES (${id}, NULL, ${values.join(', ')})`,
      samples.map((sample) => sample[id]),
    );
  }
  // Every other row also as one composite value; every third takes the values of another.
  const names = types.flatMap((_, i) => [`v${i}`, `w${i}`]);
  await sql.query(`UPDATE t SET whole = ROW(${names.join(', ')}) WHERE id % 2 = 0`);
  await sql.query(
    `UPDATE t SET (${names.join(', ')}) = (SELECT ${names.join(', ')} FROM t o WHERE o.id = t.id + 1) WHERE id % 3 = 0`,
  );
  await sql.query('UPDATE t SET v0 = NOT v0');
  await sql.query('DELETE FROM t');
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const watched = await watchedChanges(sql);
  expect(watched.length).toBe(rowCount * 3.5 + Math.ceil(rowCount / 3));
  expect(differences(watched, await recordedChanges(trail)), `seed ${seed}`).toEqual([]);
});
