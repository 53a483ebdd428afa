import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { type WrittenChange, writtenTrail } from '../../test/written-trail.ts';
import { indexChanges } from '../partitions.ts';
import type { Change } from './change.ts';
import type { ChangeFilter } from './change-filter.ts';
import { changeJson } from './change-json.ts';
import { recordHistory } from './history.ts';
import { type ChangeSearch, eachChange, goOnFrom, searchChanges } from './search-changes.ts';

const sequences = (changes: readonly Change[]): string[] => changes.map((change) => change.sequence);

async function trailOf(changes: readonly WrittenChange[]) {
  const trail = await writtenTrail();
  await trail.relation(1, 'public', 'Patient');
  await trail.transaction({ contexts: ['{"userId":"test_user_123"}'], changes });
  return trail;
}

/** One page, of a limit that needs no more. */
async function select(
  client: pg.Client,
  { filter = {}, ...search }: Omit<ChangeSearch, 'filter'> & { filter?: ChangeFilter },
): Promise<readonly Change[]> {
  return (await searchChanges(client, { ...search, filter })).changes;
}

async function collect(changes: AsyncIterable<Change>): Promise<Change[]> {
  const all: Change[] = [];
  for await (const change of changes) all.push(change);
  return all;
}

test("the guide's three changes, whole and changed columns alone", async () => {
  const { client, log } = await trailOf([
    { operation: 'INSERT', primaryKey: 'clx', after: '{"id":"clx","firstName":"Test","lastName":"Patient"}' },
    {
      operation: 'UPDATE',
      primaryKey: 'clx',
      before: '{"firstName":"Test"}',
      after: '{"id":"clx","firstName":"Updated","lastName":"Patient"}',
    },
    {
      operation: 'DELETE',
      primaryKey: 'clx',
      before: '{"id":"clx","firstName":"Updated","lastName":"Patient"}',
    },
  ]);
  const [remove, update, insert] = await select(client, { log, limit: 10 });
  expect(insert).toMatchObject({ operation: 'INSERT', before: undefined, changed: undefined });
  expect(update).toMatchObject({
    before: '{"id":"clx","firstName":"Test","lastName":"Patient"}',
    after: '{"id":"clx","firstName":"Updated","lastName":"Patient"}',
    changed: ['firstName'],
  });
  expect(remove).toMatchObject({
    operation: 'DELETE',
    after: undefined,
    context: '{"userId":"test_user_123"}',
  });

  const [short] = await select(client, {
    log,
    filter: { operations: ['UPDATE'] },
    limit: 10,
    changedOnly: true,
  });
  expect(changeJson(short!)).toBe(
    '{"sequence":3,"operation":"UPDATE","schema":"public","table":"Patient","primaryKey":"clx",' +
      '"before":{"firstName":"Test"},"after":{"firstName":"Updated"},"changed":["firstName"],' +
      '"context":{"userId":"test_user_123"},"timestamp":"2025-12-09T10:30:00.000000Z",' +
      '"transactionId":4000000000,"position":"0/1A2B"}',
  );
});

test('values keep their text and members their order, whatever they are called', async () => {
  const { client, log } = await trailOf([
    {
      operation: 'UPDATE',
      before: '{"__proto__":null,"z\\"\\n":9007199254740993}',
      after:
        '{"z\\"\\n":9007199254740995,"__proto__":{"a": 1.10},"constructor":[1,  2],"1":"\\u00e9é","n":null,"amount":1e400}',
    },
    { operation: 'UPDATE', before: '{}', after: '{"id":1}' },
  ]);
  const [nothing, update] = await select(client, { log, limit: 10 });
  expect(nothing).toMatchObject({ before: '{"id":1}', after: '{"id":1}', changed: [] });
  expect(update?.before).toBe(
    '{"z\\"\\n":9007199254740993,"__proto__":null,"constructor":[1,  2],"1":"\\u00e9é","n":null,"amount":1e400}',
  );
  expect(update?.changed).toEqual(['__proto__', 'z"\n']);
  const [, short] = await select(client, { log, limit: 10, changedOnly: true });
  expect(short?.before).toBe('{"__proto__":null,"z\\"\\n":9007199254740993}');
  expect(short?.after).toBe('{"z\\"\\n":9007199254740995,"__proto__":{"a": 1.10}}');
});

test('an old row that is its key alone, or nothing, is not made up from the new one', async () => {
  const { client, log } = await trailOf([
    { operation: 'UPDATE', beforeKind: 'none', after: '{"id":1,"a":2}' },
    { operation: 'UPDATE', beforeKind: 'key', before: '{"id":1}', after: '{"id":2,"a":2}' },
  ]);
  for (const changedOnly of [true, false]) {
    const [key, none] = await select(client, { log, limit: 10, changedOnly });
    expect(none).toMatchObject({ before: undefined, after: '{"id":1,"a":2}', changed: undefined });
    expect(key).toMatchObject({ before: '{"id":1}', after: '{"id":2,"a":2}', changed: undefined });
  }
});

test('pages by sequence, in both directions', async () => {
  const { client, log } = await trailOf(
    Array.from({ length: 25 }, (_, i) => ({ operation: 'INSERT', after: `{"id":${i}}` })),
  );
  const all = sequences(await select(client, { log, limit: 100 }));
  expect(all).toHaveLength(25);
  expect(sequences(await collect(eachChange(client, { log, filter: {}, limit: 100 }, 10)))).toEqual(all);
  expect(sequences(await collect(eachChange(client, { log, filter: {}, limit: 12 }, 5)))).toEqual(
    all.slice(0, 12),
  );
  const oldest = collect(eachChange(client, { log, filter: {}, limit: 100, order: 'oldest-first' }, 10));
  expect(sequences(await oldest)).toEqual(all.toReversed());
  expect(sequences(await select(client, { log, filter: { after: all[2]! }, limit: 9 }))).toEqual(
    all.slice(0, 2),
  );
  expect(sequences(await select(client, { log, filter: { before: all[22]! }, limit: 9 }))).toEqual(
    all.slice(23),
  );
});

test('each filter finds what it says, and no more', async () => {
  const trail = await writtenTrail();
  const { client, log } = trail;
  await trail.relation(1, 'public', 'Order');
  await trail.relation(2, 'sales', 'Order');
  await trail.relation(3, 'public', 'event_2025', { schema: 'public', table: 'event' });
  const [a, b] = await trail.transaction({
    committedAt: '2025-01-01 00:00:00Z',
    contexts: ['{"userId":"u1","try":7,"user":{"id":"7"}}', '{"userId":"u2","try":"7"}'],
    changes: [
      { operation: 'INSERT', relation: 1, primaryKey: '1', after: '{"id":1}' },
      { operation: 'UPDATE', relation: 2, primaryKey: '1', before: '{}', after: '{"id":1}', contextNo: 1 },
    ],
  });
  const [c, d] = await trail.transaction({
    committedAt: '2025-02-01 00:00:00.000001Z',
    changes: [
      { operation: 'TRUNCATE', relation: 3 },
      { operation: 'DELETE', relation: 3, primaryKey: '["1","x"]', before: '{"id":1}' },
    ],
  });
  const find = async (filter: ChangeFilter): Promise<string[]> =>
    sequences(await select(client, { log, limit: 10, order: 'oldest-first', filter }));

  expect(await find({})).toEqual([a, b, c, d]);
  expect(await find({ tables: [{ name: 'Order' }] })).toEqual([a, b]);
  expect(await find({ tables: [{ schema: 'sales', name: 'Order' }] })).toEqual([b]);
  expect(await find({ tables: [{ name: 'order' }] })).toEqual([]);
  expect(await find({ tables: [{ name: 'event' }] })).toEqual([c, d]);
  expect(await find({ tables: [{ schema: 'public', name: 'event_2025' }] })).toEqual([c, d]);
  expect(await find({ primaryKey: '1' })).toEqual([a, b]);
  expect(await find({ tables: [{ name: 'Order' }], primaryKey: '1' })).toEqual([a, b]);
  expect(await find({ tables: [{ name: 'Order' }], primaryKey: '2' })).toEqual([]);
  expect(await find({ operations: ['UPDATE', 'TRUNCATE'] })).toEqual([b, c]);
  expect(await find({ context: [{ key: 'userId', value: 'u1' }] })).toEqual([a]);
  expect(await find({ context: [{ key: 'try', value: '7' }] })).toEqual([a, b]);
  expect(await find({ context: [{ key: 'user.id', value: '7' }] })).toEqual([a]);
  const both = [
    { key: 'try', value: '7' },
    { key: 'userId', value: 'u2' },
  ];
  expect(await find({ context: both })).toEqual([b]);
  expect(await find({ context: [{ key: `x'"}`, value: `'; SELECT 1 --` }] })).toEqual([]);
  expect(await find({ since: new Date('2025-02-01T00:00:00Z') })).toEqual([c, d]);
  expect(await find({ until: new Date('2025-02-01T00:00:00Z') })).toEqual([a, b]);
  expect(await find({ since: new Date('2025-01-02T00:00:00Z'), operations: ['DELETE'] })).toEqual([d]);

  const [truncate] = await select(client, { log, filter: { operations: ['TRUNCATE'] }, limit: 1 });
  expect(truncate).toMatchObject({ table: 'event_2025', primaryKey: undefined, context: undefined });
  const life = recordHistory(client, { log, table: { name: 'event' }, key: ['1', 'x'] });
  expect(sequences(await collect(life))).toEqual([d]);
});

test('the log of another source stays out', async () => {
  const { client, log } = await trailOf([{ operation: 'INSERT', after: '{}' }]);
  expect(await select(client, { log: log + 1, limit: 10 })).toEqual([]);
});

test('what is in quarantine is said to be', async () => {
  const trail = await writtenTrail();
  await trail.relation(1, 'public', 'Patient');
  const [sequence] = await trail.transaction({
    contexts: [null],
    changes: [{ operation: 'UPDATE', beforeKind: 'full' }],
  });
  await trail.client.query(
    `INSERT INTO bemi.quarantine (log, sequence, part, field, reason, bytes)
     VALUES ($1, $2, 0, 'row', 'nul-character', ''), ($1, $2, 1, 'row', 'nul-character', ''),
            ($1, $3, 0, 'context', 'not JSON', '')`,
    [trail.log, sequence, Number(sequence) - 1],
  );
  expect(await select(trail.client, { log: trail.log, limit: 10 })).toMatchObject([
    {
      before: undefined,
      after: undefined,
      changed: undefined,
      rowQuarantine: 'nul-character',
      contextQuarantine: 'not JSON',
    },
  ]);
});

test('filters without an index: changed columns, values, text; and transactions and actors', async () => {
  const trail = await writtenTrail();
  const { client, log } = trail;
  await trail.relation(1, 'public', 'Patient');
  const [a, b] = await trail.transaction({
    contexts: ['{"user":{"email":"ada@example.com"},"reason":"says \\"é\\""}'],
    changes: [
      { operation: 'INSERT', primaryKey: '1', after: '{"id":1,"name":"Ada","weight":1.10,"note":null}' },
      {
        operation: 'UPDATE',
        primaryKey: '1',
        before: '{"name":"Ada"}',
        after: '{"id":1,"name":"Ada \\"K\\" 100%","weight":1.10,"note":null}',
      },
    ],
  });
  const [c] = await trail.transaction({
    contexts: ['{"User_Id":42}'],
    changes: [{ operation: 'DELETE', primaryKey: '9007199254740993', before: '{"id":9007199254740993}' }],
  });
  const [d] = await trail.transaction({
    actor: '[{"session_user":"bob","client_addr":"10.0.0.3"},{"session_user":"eve"}]',
    changes: [{ operation: 'TRUNCATE' }],
  });
  const find = async (filter: ChangeFilter): Promise<string[]> =>
    sequences(await select(client, { log, limit: 10, order: 'oldest-first', filter }));
  const value = (
    column: string,
    operator: 'is' | 'contains',
    wanted: string | null,
    side?: 'before' | 'after',
  ) => find({ values: [{ column, operator, value: wanted, ...(side ? { side } : {}) }] });

  expect(await find({ changedColumns: ['name', 'born'] })).toEqual([b]);
  expect(await find({ changedColumns: ['id'] })).toEqual([]);
  expect(await value('name', 'is', 'Ada')).toEqual([a, b]);
  expect(await value('name', 'is', 'Ada', 'after')).toEqual([a]);
  expect(await value('name', 'contains', '"k" 100%')).toEqual([b]);
  expect(await value('name', 'contains', '_')).toEqual([]);
  // Of the old row, columns that did not change are those of the new one.
  expect(await value('id', 'is', '1', 'before')).toEqual([b]);
  expect(await value('weight', 'is', '1.10')).toEqual([a, b]);
  expect(await value('weight', 'is', '1.1')).toEqual([]);
  expect(await value('note', 'is', null)).toEqual([a, b]);
  expect(await value('born', 'is', null)).toEqual([]);
  expect(await value('id', 'is', '9007199254740993', 'before')).toEqual([c]);

  expect(await find({ text: 'SAYS "é"' })).toEqual([a, b]);
  expect(await find({ text: 'PATIENT' })).toEqual([a, b, c, d]);
  expect(await find({ text: '4740993' })).toEqual([c]);
  expect(await find({ text: 'weight' })).toEqual([]);
  expect(await find({ text: '10.0.0.3' })).toEqual([d]);
  expect(await find({ text: '\u0000' })).toEqual([]);

  expect(await find({ actor: 'ada@example.com' })).toEqual([a, b]);
  expect(await find({ actor: '42' })).toEqual([c]);
  expect(await find({ actor: 'eve' })).toEqual([d]);
  expect(await find({ actor: 'says "é"' })).toEqual([]);

  expect(await find({ transaction: String(Number(a) - 1) })).toEqual([a, b]);
  expect(await find({ transaction: a! })).toEqual([]);
  expect(await find({ transaction: 'x' })).toEqual([]);
  expect(await find({ transactionId: '4000000000' })).toEqual([a, b, c, d]);
  expect(await find({ transactionId: '4000000001' })).toEqual([]);
  expect(await find({ tables: [{ name: 'no' }, { schema: 'public', name: 'Patient' }] })).toHaveLength(4);
});

test('whatever the spelling of what is asked for', async () => {
  const trail = await writtenTrail();
  const { client, log } = trail;
  await trail.relation(1, 'public', 'Patient');
  const changes = [
    { operation: 'INSERT', primaryKey: '1', after: String.raw`{"id":1,"name":"\u0041da\/\n"}` },
  ] as const;
  const [a] = await trail.transaction({ contexts: [String.raw`{"userId":"\u0061da","n":4.2e1}`], changes });
  const [b] = await trail.transaction({ contexts: ['{"userId":4.2e1}'], changes });
  const [c] = await trail.transaction({ actor: String.raw`{"session_user":"\u0061da"}`, changes });
  const find = async (filter: ChangeFilter): Promise<string[]> =>
    sequences(await select(client, { log, limit: 10, order: 'oldest-first', filter }));
  expect(await find({ actor: 'ada' })).toEqual([a, c]);
  expect(await find({ actor: '42' })).toEqual([b]);
  expect(await find({ actor: 'da' })).toEqual([]);
  expect(await find({ context: [{ key: 'userId', value: 'ada' }] })).toEqual([a]);
  expect(await find({ context: [{ key: 'userId', value: '42' }] })).toEqual([b]);
  expect(await find({ context: [{ key: 'n', value: '42' }] })).toEqual([a]);
  expect(await find({ values: [{ column: 'name', operator: 'is', value: 'Ada/\n' }] })).toEqual([a, b, c]);
  expect(await find({ values: [{ column: 'name', operator: 'is', value: 'Ada' }] })).toEqual([]);
  expect(await find({ primaryKey: '1', actor: 'ada' })).toEqual([a, c]);
});

test('a search that has no more time says how far it looked, and goes on from there', async () => {
  const trail = await writtenTrail();
  const { client, log } = trail;
  await trail.relation(1, 'public', 'Patient');
  await client.query(
    `INSERT INTO bemi.change_log (log, relation, sequence, transaction, lsn, context_no, operation, before_kind, after)
     SELECT $1, 1, 1 + n * 2, 1 + n * 2, '0/1', 0, 'INSERT', 'none', json_build_object('n', n) FROM generate_series(0, 9999) n`,
    [log],
  );
  await client.query(
    `INSERT INTO bemi.transaction_log (log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn,
                                       xid, committed_at, recorded_at, change_count, context_count)
     SELECT $1, 1, 2 + n * 2, 1 + n * 2, '0/1', '0/1', '0/1', n, timestamptz '2025-01-01Z' + n * interval '1 s', now(), 1, 0
       FROM generate_series(0, 9999) n`,
    [log],
  );
  await client.query('UPDATE bemi.logs SET next_sequence = 20001 WHERE log = $1', [log]);
  for (const order of ['newest-first', 'oldest-first'] as const) {
    let filter: ChangeFilter = { values: [{ column: 'n', operator: 'contains', value: '99' }] };
    const found: string[] = [];
    let looks = 0;
    for (; ; looks++) {
      const page = await searchChanges(client, { log, filter, limit: 100, order, budgetMs: 0 });
      found.push(...sequences(page.changes));
      if (page.next === undefined) break;
      expect(page.end).toMatch(page.changes.length === 100 ? 'page-full' : 'budget');
      const at = Math.floor((Number(page.lookedBackTo!.sequence) - 1) / 2);
      expect(Date.parse(page.lookedBackTo!.at!)).toBe(Date.parse('2025-01-01Z') + at * 1000);
      filter = goOnFrom(filter, page.next, order);
    }
    expect(looks).toBeGreaterThan(1);
    const all = Array.from({ length: 10_000 }, (_, n) => n).filter((n) => String(n).includes('99'));
    const expected = all.map((n) => String(1 + n * 2));
    expect(found).toEqual(order === 'newest-first' ? expected.toReversed() : expected);
  }
});

test('what a search must know waits for a server that is slow, however small the budget', async () => {
  const { client, log, connect } = await trailOf([{ operation: 'INSERT', after: '{"id":1}' }]);
  await client.query('UPDATE bemi.logs SET next_sequence = 1024 WHERE log = $1', [log]);
  await indexChanges(client, log, 1);
  const other = await connect();
  const filter = { tables: [{ name: 'Patient' }], since: new Date('2025-01-01T00:00:00Z') };
  for (const table of ['relations', 'change_blocks']) {
    await other.query(`BEGIN; LOCK TABLE bemi.${table}`);
    const searched = searchChanges(client, { log, filter, limit: 10, budgetMs: 0 });
    const [page] = await Promise.all([searched, delay(300).then(() => other.query('COMMIT'))]);
    expect(page.end).toBe('budget');
  }
});
