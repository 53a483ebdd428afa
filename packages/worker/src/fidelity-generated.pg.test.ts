import { effort } from '@bemi-db/test-kit/effort';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { builtInValues, rangeSubtypes } from '../test/random-values/built-in-values.ts';
import { arraysOf, type GeneratedType, generatedType, typeTrees } from '../test/random-values/user-types.ts';
import { createWorker } from './create-worker.ts';

const minutes = 60_000;
const values = builtInValues(serverMajor());
const builtInTypes = Object.keys(values);
const rounds = Array.from({ length: effort(1, 10) }, (_, round) => [round + 1]);
const seed = testSeed();

/** Two columns of each type: a value, and an array. */
const builtInColumns = builtInTypes.flatMap((type): GeneratedType[] => {
  const delimiter = type === 'box' ? ';' : ',';
  const value = { name: type, values: values[type]!, statements: [], delimiter } as const;
  return [value, { ...value, name: `${type}[]`, values: arraysOf(value.values, delimiter) }];
});

test.each(rounds)(
  `generated values of every built-in type, TEST_SEED=${seed}: round %i`,
  async (round) => {
    await expectFaithful(builtInColumns, effort(40, 200), seed + round);
  },
  10 * minutes,
);

test.each(rounds)(
  `generated types, made of one another, TEST_SEED=${seed}: round %i`,
  async (round) => {
    const trees = fc.sample(typeTrees(builtInTypes, rangeSubtypes(serverMajor())), {
      numRuns: effort(40, 120),
      seed: seed + round,
    });
    let made = 0;
    const nextName = () => `"Type ${++made}"`;
    const quote = { identifier: pg.escapeIdentifier, literal: pg.escapeLiteral };
    const types = trees.map((tree) => generatedType(tree, values, nextName, quote));
    await expectFaithful(types, effort(25, 100), seed + round);
  },
  10 * minutes,
);

/** Rows of such columns, inserted, updated and deleted: the trail must say of each what `to_jsonb` does. */
async function expectFaithful(
  types: readonly GeneratedType[],
  rowCount: number,
  roundSeed: number,
): Promise<void> {
  const names = types.map((_, i) => `c${i}`);
  const columns = types.map(({ name }, i) => `c${i} ${name}`).join(', ');
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query('CREATE EXTENSION hstore; CREATE EXTENSION citext');
    for (const statement of types.flatMap(({ statements }) => statements)) await client.query(statement);
    await client.query(`CREATE TYPE whole AS (${columns});
                        CREATE TABLE t (id integer PRIMARY KEY, whole whole, ${columns});
                        ALTER TABLE t REPLICA IDENTITY FULL`);
    await watchRows(client, { t: [] });
  });
  const samples = types.map((type, i) =>
    fc.sample(fc.option(type.values), { numRuns: rowCount, seed: roundSeed + i }),
  );
  const placeholders = types.map(({ name }, i) => `$${i + 1}::text::${name}`).join(', ');
  for (let id = 0; id < rowCount; id++) {
    await sql.query(
      `INSERT INTO t VALUES (${id}, NULL, ${placeholders})`,
      samples.map((sample) => sample[id]),
    );
  }
  // Every other row also as one composite value; every third takes the values of another; every fourth loses some.
  const half = names.slice(0, names.length / 2);
  await sql.query(`UPDATE t SET whole = ROW(${names.join(', ')}) WHERE id % 2 = 0`);
  await sql.query(
    `UPDATE t SET (${names.join(', ')}) = (SELECT ${names.join(', ')} FROM t o WHERE o.id = t.id + 1) WHERE id % 3 = 0`,
  );
  await sql.query(`UPDATE t SET ${half.map((name) => `${name} = NULL`).join(', ')} WHERE id % 4 = 0`);
  await sql.query('UPDATE t SET id = id + 1000000');
  await sql.query('DELETE FROM t');
  const worker = createWorker({ source: source.url, destination: audit.url, slot });
  await worker.run({ drain: true });

  const watched = await watchedChanges(sql);
  expect(watched.length).toBeGreaterThan(rowCount * 4);
  expect(differences(watched, await recordedChanges(trail))).toEqual([]);
  expect(worker.status().quarantined).toBe(0);
}
