import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import { type SeededRandom, seededRandom } from '@bemi-db/test-kit/random-workload/seeded-random';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import { migrate } from '@bemi-db/trail/migrate';
import { indexChanges } from '@bemi-db/trail/partitions';
import type { Change } from '@bemi-db/trail/query/change';
import type { ChangeFilter } from '@bemi-db/trail/query/change-filter';
import { changeRows } from '@bemi-db/trail/query/change-rows';
import { type ChangeSearch, goOnFrom, searchChanges } from '@bemi-db/trail/query/search-changes';
import { verifyIndex } from '@bemi-db/trail/verify/verify-index';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { satisfies } from './change-oracle.ts';
import { fillLog } from './filled-log.ts';

const changeCount = effort(12_000, 40_000);
const searches = effort(12, 150);
/** The end of a partition and of a range of the index; the log goes over it. */
const boundary = 131_072;

async function everyChange(client: pg.Client, log: number): Promise<readonly Change[]> {
  const { rows } = await client.query<{ sequence: string }>(
    'SELECT sequence FROM bemi.change_log WHERE log = $1 ORDER BY sequence',
    [log],
  );
  return await changeRows(
    client,
    log,
    rows.map(({ sequence }) => BigInt(sequence)),
    false,
  );
}

/** All pages of a search; what happens between two of them is the caller's. */
async function allPages(
  client: pg.Client,
  search: ChangeSearch,
  meanwhile: () => Promise<void>,
): Promise<readonly Change[]> {
  const found: Change[] = [];
  let { filter } = search;
  for (;;) {
    const page = await searchChanges(client, { ...search, filter });
    found.push(...page.changes);
    if (page.end === 'page-full') expect(page.changes).toHaveLength(search.limit);
    if (page.next === undefined) return found;
    filter = goOnFrom(filter, page.next, search.order);
    await meanwhile();
  }
}

test('every search finds what looking at each change finds, while the log grows and the index is behind', async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const client = await (await createDatabase()).connect();
  await migrate(client);
  const options = {
    changes: changeCount,
    firstSequence: boundary - changeCount / 2,
    onLog: async (number: number) => {
      await client.query('SELECT bemi.create_partitions($1, 0, $2)', [number, boundary]);
    },
  };
  let filled = await fillLog(client, { ...options, share: 0.7 });
  const { log } = filled;
  for (let block = 0; block < 10; block++) await indexChanges(client, log, 1);
  let changes = await everyChange(client, log);

  /** Adds entries, and indexes some: both are done behind the searches. */
  const grow = async (share: number): Promise<void> => {
    filled = await fillLog(client, { ...options, from: filled, share });
    await indexChanges(client, log, random.below(3));
  };

  const compare = async (count: number, meanwhile: () => Promise<void>): Promise<void> => {
    for (let each = 0; each < count; each++) {
      const filter = randomFilter(random, changes);
      const order = random.pick(['newest-first', 'oldest-first'] as const);
      // What comes while it is searched is beyond this bound.
      const before = filter.before ?? String(BigInt(changes.at(-1)!.sequence) + 1n);
      const expected = changes.filter((change) => satisfies(change, { ...filter, before }));
      const search = {
        ...{ log, order, filter: { ...filter, before }, budgetMs: random.chance(0.3) ? 0 : 300 },
        // In a few pages; sometimes what there is fills the last one.
        limit: Math.ceil(expected.length / (1 + random.below(4))) + random.below(2) || 1,
      };
      const found = await allPages(client, search, meanwhile);
      const sequences = expected.map(({ sequence }) => sequence);
      expect(
        found.map(({ sequence }) => sequence),
        `seed ${seed}, ${JSON.stringify(search)}`,
      ).toEqual(order === 'newest-first' ? sequences.toReversed() : sequences);
    }
  };

  let share = 0.7;
  await compare(searches, async () => {
    share = Math.min(1, share + 0.002);
    await grow(share);
  });
  await grow(1);
  while (!(await indexChanges(client, log, 16)));
  changes = await everyChange(client, log);
  await compare(searches, () => Promise.resolve());

  // Contexts, actors and rows that are erased are found by nothing that they said.
  const erased = Array.from({ length: 200 }, () => random.pick(changes).sequence)
    .map((sequence) => [Number(sequence) - random.below(2), Number(sequence) + random.below(4)])
    .sort(([a], [b]) => a! - b!);
  await client.query('SELECT bemi.erase_entries($1, $2)', [log, JSON.stringify(erased)]);
  changes = await everyChange(client, log);
  expect(changes.filter((change) => change.contextErased).length).toBeGreaterThan(20);
  await compare(searches, () => Promise.resolve());
  expect(await verifyIndex(client, log, undefined)).toEqual([]);

  // Retention drops the partition before the boundary.
  await client.query('SELECT bemi.drop_entries($1, $2)', [log, boundary]);
  changes = await everyChange(client, log);
  expect(Number(changes[0]!.sequence)).toBeGreaterThanOrEqual(boundary);
  await compare(searches / 2, () => Promise.resolve());
  expect(await verifyIndex(client, log, undefined)).toEqual([]);
});

/** A filter of one to three conditions, with values that are often there and sometimes not. */
function randomFilter(random: SeededRandom, changes: readonly Change[]): ChangeFilter {
  const example = random.pick(changes);
  const context = JSON.parse(example.context ?? '{"userId":"nobody","role":"NURSE"}') as Record<
    string,
    string
  >;
  const row = JSON.parse(example.after ?? example.before ?? '{"status":"s9"}') as Record<string, unknown>;
  const time = (): Date => new Date(Date.parse(random.pick(changes).timestamp) + random.below(3) - 1);
  const member = (): { key: string; value: string } => {
    const key = random.pick(Object.keys(context));
    return { key, value: random.chance(0.1) ? 'nothing' : String(context[key]) };
  };
  const column = random.pick(['status', 'note', 'name', 'isActive', 'id']);
  const value = row[column] === undefined || row[column] === null ? null : String(row[column]);
  const conditions: readonly (() => ChangeFilter)[] = [
    () => ({ tables: [{ name: example.table }] }),
    () => ({
      tables: [{ schema: 'public', name: example.table }, { name: random.pick(['ward', 'archive', 'bed']) }],
    }),
    () => ({ ...(example.primaryKey === undefined ? {} : { primaryKey: example.primaryKey }) }),
    () => ({ operations: random.chance(0.8) ? [example.operation] : ['TRUNCATE', 'DELETE'] }),
    () => ({ context: random.chance(0.5) ? [member()] : [member(), member()] }),
    () => ({ context: [member()] }),
    () => ({ authenticity: random.chance(0.8) ? ['unsigned'] : ['forged', 'stale'] }),
    () => ({ withoutContext: true }),
    () => ({ actor: random.pick([context['userId'] ?? 'x', 'dba_3', 'psql', 'nobody']) }),
    () => ({ since: time() }),
    () => ({ until: time() }),
    () => ({ since: time(), until: time() }),
    () => ({ transaction: random.chance(0.9) ? example.transaction : example.sequence }),
    () => ({ transactionId: random.chance(0.9) ? example.transactionId : '17' }),
    () => ({ after: random.pick(changes).sequence }),
    () => ({ before: random.pick(changes).sequence }),
    () => ({ changedColumns: [random.pick(['status', 'updatedAt', 'email'])] }),
    () => ({
      values: [
        {
          ...{ column, value, operator: random.chance(0.5) ? ('is' as const) : ('contains' as const) },
          ...(random.chance(0.5) ? {} : { side: random.pick(['before', 'after'] as const) }),
        },
      ],
    }),
    () => ({
      text: random.pick(['USER_1', 'psql', 'checked', '.BED', 'breakglass', example.primaryKey ?? 'x']),
    }),
  ];
  return Object.assign({}, ...Array.from({ length: 1 + random.below(3) }, () => random.pick(conditions)()));
}
