import { expect, test } from 'vitest';
import { type WrittenChange, writtenTrail } from '../../test/written-trail.ts';
import { indexContexts } from '../partitions.ts';
import type { Change } from './change.ts';
import { changeJson } from './change-json.ts';
import { changesStatement, eachChange, selectChanges } from './changes.ts';
import { recordHistory } from './history.ts';

const sequences = (changes: readonly Change[]): string[] => changes.map((change) => change.sequence);

async function trailOf(changes: readonly WrittenChange[]) {
  const trail = await writtenTrail();
  await trail.relation(1, 'public', 'Patient');
  await trail.transaction({ contexts: ['{"userId":"test_user_123"}'], changes });
  return trail;
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
  const [remove, update, insert] = await selectChanges(client, { log, limit: 10 });
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

  const [short] = await selectChanges(client, { log, operations: ['UPDATE'], limit: 10, changedOnly: true });
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
  const [nothing, update] = await selectChanges(client, { log, limit: 10 });
  expect(nothing).toMatchObject({ before: '{"id":1}', after: '{"id":1}', changed: [] });
  expect(update?.before).toBe(
    '{"z\\"\\n":9007199254740993,"__proto__":null,"constructor":[1,  2],"1":"\\u00e9é","n":null,"amount":1e400}',
  );
  expect(update?.changed).toEqual(['__proto__', 'z"\n']);
  const [, short] = await selectChanges(client, { log, limit: 10, changedOnly: true });
  expect(short?.before).toBe('{"__proto__":null,"z\\"\\n":9007199254740993}');
  expect(short?.after).toBe('{"z\\"\\n":9007199254740995,"__proto__":{"a": 1.10}}');
});

test('an old row that is its key alone, or nothing, is not made up from the new one', async () => {
  const { client, log } = await trailOf([
    { operation: 'UPDATE', beforeKind: 'none', after: '{"id":1,"a":2}' },
    { operation: 'UPDATE', beforeKind: 'key', before: '{"id":1}', after: '{"id":2,"a":2}' },
  ]);
  for (const changedOnly of [true, false]) {
    const [key, none] = await selectChanges(client, { log, limit: 10, changedOnly });
    expect(none).toMatchObject({ before: undefined, after: '{"id":1,"a":2}', changed: undefined });
    expect(key).toMatchObject({ before: '{"id":1}', after: '{"id":2,"a":2}', changed: undefined });
  }
});

test('pages by sequence, in both directions', async () => {
  const { client, log } = await trailOf(
    Array.from({ length: 25 }, (_, i) => ({ operation: 'INSERT', after: `{"id":${i}}` })),
  );
  const all = sequences(await selectChanges(client, { log, limit: 100 }));
  expect(all).toHaveLength(25);
  expect(sequences(await collect(eachChange(client, { log, limit: 100 }, 10)))).toEqual(all);
  expect(sequences(await collect(eachChange(client, { log, limit: 12 }, 5)))).toEqual(all.slice(0, 12));
  const oldest = collect(eachChange(client, { log, limit: 100, order: 'oldest-first' }, 10));
  expect(sequences(await oldest)).toEqual(all.toReversed());
  expect(sequences(await selectChanges(client, { log, after: all[2]!, limit: 9 }))).toEqual(all.slice(0, 2));
  expect(sequences(await selectChanges(client, { log, before: all[22]!, limit: 9 }))).toEqual(all.slice(23));
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
  const find = async (filter: object): Promise<string[]> =>
    sequences(await selectChanges(client, { log, limit: 10, order: 'oldest-first', ...filter }));

  expect(await find({})).toEqual([a, b, c, d]);
  expect(await find({ table: { name: 'Order' } })).toEqual([a, b]);
  expect(await find({ table: { schema: 'sales', name: 'Order' } })).toEqual([b]);
  expect(await find({ table: { name: 'order' } })).toEqual([]);
  expect(await find({ table: { name: 'event' } })).toEqual([c, d]);
  expect(await find({ table: { schema: 'public', name: 'event_2025' } })).toEqual([c, d]);
  expect(await find({ primaryKey: '1' })).toEqual([a, b]);
  expect(await find({ table: { name: 'Order' }, primaryKey: '1' })).toEqual([a, b]);
  expect(await find({ table: { name: 'Order' }, primaryKey: '2' })).toEqual([]);
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

  const [truncate] = await selectChanges(client, { log, operations: ['TRUNCATE'], limit: 1 });
  expect(truncate).toMatchObject({ table: 'event_2025', primaryKey: undefined, context: undefined });
  const life = recordHistory(client, { log, table: { name: 'event' }, key: ['1', 'x'] });
  expect(sequences(await collect(life))).toEqual([d]);
});

test('the log of another source stays out', async () => {
  const { client, log } = await trailOf([{ operation: 'INSERT', after: '{}' }]);
  expect(await selectChanges(client, { log: log + 1, limit: 10 })).toEqual([]);
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
  expect(await selectChanges(trail.client, { log: trail.log, limit: 10 })).toMatchObject([
    {
      before: undefined,
      after: undefined,
      changed: undefined,
      rowQuarantine: 'nul-character',
      contextQuarantine: 'not JSON',
    },
  ]);
});

test('contexts are found by their index, a record by its own', async () => {
  const { client, log } = await trailOf([{ operation: 'INSERT', primaryKey: '1', after: '{}' }]);
  await client.query(
    `INSERT INTO bemi.context_log (log, context_no, sequence, transaction, authenticity, context)
     SELECT $1, 0, n, n, 'unsigned', json_build_object('userId', 'u' || n) FROM generate_series(1000, 30000) n`,
    [log],
  );
  await client.query(
    `INSERT INTO bemi.change_log (log, relation, sequence, transaction, lsn, context_no, operation, before_kind, primary_key)
     SELECT $1, 1, 100000 + n, n, '0/1', 0, 'INSERT', 'none', n FROM generate_series(1000, 30000) n`,
    [log],
  );
  await client.query(
    `INSERT INTO bemi.transaction_log (log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn,
                                       xid, committed_at, recorded_at, change_count, context_count)
     SELECT $1, 1, 100001 + n, n, '0/1', '0/1', '0/1', n, now(), now(), 1, 1 FROM generate_series(1000, 30000) n`,
    [log],
  );
  await indexContexts(client, log, 100_000);
  await client.query('ANALYZE');
  const plan = async (filter: object): Promise<string> => {
    const { text, values } = changesStatement({ log, limit: 50, ...filter }, ['1']);
    const { rows } = await client.query(`EXPLAIN ${text}`, values);
    return rows.map((row: object) => Object.values(row)[0]).join('\n');
  };
  expect(await plan({ context: [{ key: 'userId', value: 'u2000' }] })).toMatch(
    /context_index_\d+_\d+_context_idx/,
  );
  expect(await plan({ primaryKey: '1' })).toMatch(/relation_primary_key_sequence_idx/);
});
