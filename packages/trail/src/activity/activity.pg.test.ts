import { createDatabase } from '@bemi-db/test-kit/database';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { randomLogBegins, randomLogHours, writeRandomLog } from '../../test/random-log.ts';
import { migrate } from '../migrate.ts';
import { countChanges, indexChanges } from '../partitions.ts';
import { searchChanges } from '../query/search-changes.ts';
import { verifyIndex } from '../verify/verify-index.ts';
import type { Activity, ActivityQuestion } from './activity.ts';
import { countActivity } from './count-activity.ts';

const hour = (number: number): Date => new Date(randomLogBegins.getTime() + number * 3_600_000);
const end = hour(randomLogHours);

/** The same counts, from the view that people query. */
async function naive(client: pg.Client, log: number, since: Date, until: Date, tables?: readonly string[]) {
  const changes = `
    WITH counted AS (
      SELECT r.root_schema AS schema, r.root_table AS "table", c.operation, c.committed_at,
             coalesce(c.context, '{}') = '{}' AND (x.sequence IS NULL OR x.salt IS NOT NULL) AS nothing,
             bemi.actors(c.context, c.actor) AS names
        FROM bemi.changes c
        JOIN bemi.change_log l ON l.log = $1 AND l.sequence = c.id
        JOIN bemi.relations r ON r.log = $1 AND r.relation = l.relation
        LEFT JOIN bemi.context_log x ON x.log = $1 AND x.transaction = l.transaction AND x.context_no = l.context_no
       WHERE c.committed_at >= $2 AND c.committed_at < $3
         AND ($4::text[] IS NULL OR r.root_schema || '.' || r.root_table = ANY ($4)))`;
  const values = [log, since, until, tables ?? null];
  const { rows: byTable } = await client.query(
    `${changes} SELECT schema, "table", count(*)::int AS changes, (count(*) FILTER (WHERE nothing))::int AS "withoutContext",
       json_build_object('INSERT', count(*) FILTER (WHERE operation = 'INSERT'), 'UPDATE', count(*) FILTER (WHERE operation = 'UPDATE'),
                         'DELETE', count(*) FILTER (WHERE operation = 'DELETE'), 'TRUNCATE', count(*) FILTER (WHERE operation = 'TRUNCATE'))
         AS operations FROM counted GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
    values,
  );
  const { rows: names } = await client.query<{ name: string; changes: number; withoutContext: number }>(
    `${changes} SELECT name, count(*)::int AS changes, (count(*) FILTER (WHERE nothing))::int AS "withoutContext"
       FROM counted CROSS JOIN LATERAL unnest(names) AS name GROUP BY 1`,
    values,
  );
  return { byTable, names: new Map(names.map((each) => [each.name, each])) };
}

async function compare(
  client: pg.Client,
  log: number,
  since: Date,
  until: Date,
  more: Partial<ActivityQuestion> = {},
) {
  const found = await countActivity(client, { log, since, until, step: 'day', names: 50, ...more });
  const tables = more.tables?.map(({ schema, name }) => `${schema}.${name}`);
  const expected = await naive(client, log, since, until, tables);
  expect(found.tables.map(({ steps: _, ...table }) => table)).toEqual(expected.byTable);
  for (const { steps, operations } of found.tables)
    expect(steps.reduce((sum, step) => sum + step.UPDATE, 0)).toBe(operations.UPDATE);
  for (const each of [...found.actors, ...found.directUsers, ...found.directPrograms])
    expect(each).toEqual(expected.names.get(each.name));
  return found;
}

const namesOf = (names: Activity['actors']): string[] => names.map(({ name }) => name).sort();

async function randomLog(transactions: number) {
  const client = await (await createDatabase()).connect();
  await migrate(client);
  const { log } = await writeRandomLog(client, { seed: testSeed(), transactions, first: 131_072 - 1_500 });
  return { client, log };
}

test('counts are those of the view: indexed or not, in any period, of any tables', async () => {
  const { client, log } = await randomLog(250);
  // Before anything is indexed, all of it is behind the index.
  const unindexed = await compare(client, log, hour(0), end);
  expect(unindexed.countedTo).toBeUndefined();
  await indexChanges(client, log, 3);
  const first = await compare(client, log, hour(0), end);
  expect(namesOf(first.actors)).toEqual(
    ['7', 'anna', 'app', 'b@x.io', 'ben', 'dba'].filter((name) => name !== 'b@x.io'),
  );
  expect(namesOf(first.directPrograms)).toEqual(['app', 'psql']);
  while (!(await indexChanges(client, log, 3)));
  const { rows: ranges } = await client.query('SELECT range FROM bemi.activity_ranges ORDER BY 1');
  expect(ranges).toEqual([{ range: '0' }]);

  const whole = await compare(client, log, hour(0), end);
  expect(whole.tables).toEqual(first.tables);
  expect(whole.actors).toEqual(first.actors);
  await compare(client, log, hour(7), hour(8), { step: 'hour' });
  await compare(client, log, hour(100), hour(101 + 24 * 9), { step: 'hour' });
  await compare(client, log, hour(300), end, { step: 'month', zone: 'Asia/Kolkata' });
  await compare(client, log, hour(0), end, { tables: [{ schema: 'public', name: 'visit' }] });
  const none = await compare(client, log, hour(0), end, { tables: [] });
  expect(none).toMatchObject({ tables: [], actors: [], directUsers: [], directPrograms: [] });
  expect(await compare(client, log, hour(-900), hour(-800))).toMatchObject({ tables: [], unusual: [] });

  // What a number leads to is as many changes.
  for (const { name, changes, withoutContext } of whole.directUsers) {
    const ofName = { actor: name, since: hour(0), until: end };
    const all = await searchChanges(client, { log, filter: ofName, limit: 100_000, budgetMs: 60_000 });
    const direct = { ...ofName, withoutContext: true };
    const without = await searchChanges(client, { log, filter: direct, limit: 100_000, budgetMs: 60_000 });
    expect([all.changes.length, without.changes.length]).toEqual([changes, withoutContext]);
  }
  const told: (readonly [number, number])[] = [];
  expect(await verifyIndex(client, log, undefined, (done, total) => told.push([done, total]))).toEqual([]);
  expect(told.length).toBeGreaterThan(1);
  expect([told[0]![0], told.at(-1)![0]]).toEqual([0, told[0]![1]]);
});

test('days are those of a zone, and of hours that summer time leaves out or has twice', async () => {
  const { client, log } = await randomLog(20);
  const stepsOf = async (step: ActivityQuestion['step'], zone: string, since: string, until: string) =>
    (await countActivity(client, { log, step, zone, since: new Date(since), until: new Date(until) })).steps;
  expect(await stepsOf('day', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
    ...['2026-03-28T12:00:00.000Z', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
  ]);
  // There days begin at half past: the first full hour stands for it.
  expect(await stepsOf('day', 'Asia/Kolkata', '2026-03-28T00:10:00Z', '2026-03-29T12:00:00Z')).toEqual([
    ...['2026-03-28T00:00:00.000Z', '2026-03-28T19:00:00.000Z'],
  ]);
  expect(await stepsOf('hour', 'Europe/Berlin', '2026-03-28T23:10:00Z', '2026-03-29T01:10:00Z')).toHaveLength(
    3,
  );
  await expect(
    stepsOf('day', 'Mars/Phobos', '2026-03-28T00:00:00Z', '2026-03-29T00:00:00Z'),
  ).rejects.toMatchObject({
    name: 'UnknownZoneError',
  });
  await expect(stepsOf('hour', 'UTC', '2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z')).rejects.toMatchObject({
    name: 'TooManyStepsError',
  });
});

test('what is erased is in no count of names from that moment on, and is counted again', async () => {
  const { client, log } = await randomLog(250);
  while (!(await indexChanges(client, log, 16)));
  const before = await compare(client, log, hour(0), end);
  const { rows: anna } = await client.query<{ pair: readonly [number, number] }>(
    `SELECT json_build_array(sequence, sequence) AS pair FROM bemi.context_log WHERE context::text LIKE '%anna%'
     UNION ALL SELECT json_build_array(sequence, sequence) FROM bemi.transaction_log WHERE actor::text LIKE '%anna%'`,
  );
  await client.query('SELECT bemi.erase_entries($1, $2)', [
    log,
    JSON.stringify(anna.map(({ pair }) => pair)),
  ]);
  const { rows: stored } = await client.query(
    `SELECT 'block' AS in FROM bemi.activity_names WHERE 'anna' = ANY (names)
     UNION ALL SELECT 'range' FROM bemi.activity_range_names WHERE 'anna' = ANY (names)`,
  );
  expect(stored).toEqual([]);
  const erased = await compare(client, log, hour(0), end);
  expect(namesOf(before.actors)).toContain('anna');
  expect(namesOf(erased.actors)).not.toContain('anna');
  expect(erased.tables).toEqual(before.tables);
  while (!(await countChanges(client, log, 2)));
  const { rows: uncounted } = await client.query(
    'SELECT FROM bemi.change_blocks WHERE NOT (changes_counted AND names_counted)',
  );
  expect(uncounted).toEqual([]);
  expect(await compare(client, log, hour(0), end)).toEqual(erased);
  expect((await client.query('SELECT range FROM bemi.activity_ranges')).rows).toEqual([{ range: '0' }]);
  expect(await verifyIndex(client, log, undefined)).toEqual([]);
});

test('what retention drops is in no count', async () => {
  const { client, log } = await randomLog(500);
  while (!(await indexChanges(client, log, 16)));
  await client.query('SELECT bemi.drop_entries($1, 131072)', [log]);
  const dropped = await compare(client, log, hour(0), end);
  while (!(await countChanges(client, log, 16)));
  expect(await compare(client, log, hour(0), end)).toEqual(dropped);
  expect(await verifyIndex(client, log, undefined)).toEqual([]);
});

test('blocks of an older version are counted when their turn comes; until then the answer says what is missing', async () => {
  const { client, log } = await randomLog(1_100);
  while (!(await indexChanges(client, log, 16)));
  await client.query(
    `TRUNCATE bemi.activity, bemi.activity_names, bemi.activity_ranges, bemi.activity_range_names;
     UPDATE bemi.change_blocks SET changes_counted = false, names_counted = false`,
  );
  const question = { log, since: hour(0), until: end, step: 'day' } as const;
  expect((await countActivity(client, question)).uncountedEntries).toBeGreaterThan(10_000);
  while (!(await countChanges(client, log, 5)));
  expect(await compare(client, log, hour(0), end)).toMatchObject({
    uncountedEntries: 0,
    countedTo: undefined,
  });
  // Emptied as an administrator would, it is made again; until then it is said to be behind.
  await client.query('TRUNCATE bemi.change_index, bemi.change_blocks');
  expect(await countActivity(client, question)).toMatchObject({
    tables: [],
    countedTo: hour(0).toISOString(),
  });
  await indexChanges(client, log, 4);
  expect((await countActivity(client, question)).countedTo).toBeDefined();
  while (!(await indexChanges(client, log, 16)));
  expect(await compare(client, log, hour(0), end)).toMatchObject({ countedTo: undefined });
  expect(await verifyIndex(client, log, undefined)).toEqual([]);
});

test('a log without changes has nothing to count', async () => {
  const { client, log } = await randomLog(0);
  expect(await countActivity(client, { log, step: 'hour' })).toMatchObject({
    ...{ tables: [], actors: [], unusual: [], countedTo: undefined, uncountedEntries: 0 },
  });
});
