import { expect, test } from 'vitest';
import { writtenTrail } from '../../test/written-trail.ts';
import { indexChanges } from '../partitions.ts';
import type { ChangeFilter } from './change-filter.ts';
import { eachChange } from './search-changes.ts';

test('what a range of the index has much of comes in order, both ways, page by page', async () => {
  const { client, log, relation } = await writtenTrail();
  await relation(0, 'public', 'Patient');
  // 4,000 transactions of a context, a change and a commit, of which three quarters are a nurse's; a large one before them has three
  // contexts that take turns: rows of the index that reach over each other, many to each.
  const large = 9_000;
  await client.query(
    `WITH t AS (SELECT 10000 + n * 3 AS first, n FROM generate_series(0, 3999) n), contexts AS (
       INSERT INTO bemi.context_log (log, context_no, sequence, transaction, authenticity, context)
       SELECT $1::integer, 0, first, first, 'unsigned', json_build_object('role', CASE WHEN n % 4 = 0 THEN 'CLERK' ELSE 'NURSE' END) FROM t
        UNION ALL SELECT $1::integer, 0, 1, 1, 'unsigned', json '{"role":"NURSE"}'
        UNION ALL SELECT $1::integer, 1, 2, 1, 'unsigned', json '{"role":"CLERK"}'
        UNION ALL SELECT $1::integer, 2, 3, 1, 'unsigned', json '{"role":"CLERK"}'
     ), changes AS (
       INSERT INTO bemi.change_log (log, relation, sequence, transaction, lsn, context_no, operation, before_kind, after)
       SELECT $1::integer, 0, first + 1, first, pg_lsn '0/1', 0, 'INSERT', 'none', json '{}' FROM t
        UNION ALL SELECT $1::integer, 0, 4 + n, 1, pg_lsn '0/1', n % 3, 'UPDATE', 'none', json '{}' FROM generate_series(0, $2::integer - 1) n)
     INSERT INTO bemi.transaction_log (log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn,
                                       xid, committed_at, recorded_at, change_count, context_count)
     SELECT $1::integer, 1, first + 2, first, pg_lsn '0/1', pg_lsn '0/1', pg_lsn '0/1', n, now(), now(), 1, 1 FROM t
      UNION ALL SELECT $1::integer, 1, 4 + $2::integer, 1, pg_lsn '0/1', pg_lsn '0/1', pg_lsn '0/1', 1, now(), now(), $2::integer, 3`,
    [log, large],
  );
  await client.query('UPDATE bemi.logs SET next_sequence = 25000 WHERE log = $1', [log]);
  expect(await indexChanges(client, log, 100)).toBe(true);

  const few = Array.from({ length: 4_000 }, (_, n) => ({ sequence: 10_001 + n * 3, isNurse: n % 4 !== 0 }));
  const many = Array.from({ length: large }, (_, n) => ({ sequence: 4 + n, isNurse: n % 3 === 0 }));
  const expected = (wanted: readonly { readonly sequence: number }[]): string[] =>
    wanted.map(({ sequence }) => String(sequence));
  const cases: readonly (readonly [ChangeFilter, readonly { readonly sequence: number }[]])[] = [
    [{ context: [{ key: 'role', value: 'NURSE' }] }, [...many, ...few].filter(({ isNurse }) => isNurse)],
    [{ context: [{ key: 'role', value: 'CLERK' }] }, [...many, ...few].filter(({ isNurse }) => !isNurse)],
    [
      { operations: ['UPDATE'], context: [{ key: 'role', value: 'CLERK' }] },
      many.filter(({ isNurse }) => !isNurse),
    ],
    [
      { tables: [{ name: 'Patient' }], before: '21000', after: '1000' },
      [...many, ...few].filter(({ sequence }) => sequence > 1000 && sequence < 21_000),
    ],
  ];
  for (const [filter, wanted] of cases) {
    for (const order of ['oldest-first', 'newest-first'] as const) {
      const inOrder = wanted.toSorted((a, b) => a.sequence - b.sequence);
      // A page is full before the index has no more rows, or the other way about.
      for (const page of [130, 20_000]) {
        const found: string[] = [];
        for await (const { sequence } of eachChange(client, { log, filter, limit: 20_000, order }, page))
          found.push(sequence);
        expect(found).toEqual(expected(order === 'oldest-first' ? inOrder : inOrder.toReversed()));
      }
    }
  }
});
