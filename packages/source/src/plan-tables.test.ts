import { expect, test } from 'vitest';
import { planTablesDropped } from './plan-tables.ts';
import type { SourceSnapshot, TableSnapshot } from './source-snapshot.ts';

const table = (oid: string, name: string, more: Partial<TableSnapshot>) =>
  ({
    oid,
    schema: 'public',
    name,
    kind: 'table',
    parents: [],
    identity: 'full',
    persistence: 'permanent',
    ...more,
  }) as TableSnapshot;

function snapshot(version: number, isLeafListed: boolean): SourceSnapshot {
  return {
    server: { version },
    publication: { name: 'p', isForAllTables: false },
    tables: [
      table('1', 'visit', { kind: 'partitioned', isListed: !isLeafListed, isPublished: false }),
      table('2', 'visit_2026', { parents: ['1'], isListed: isLeafListed, isPublished: true }),
    ],
  } as unknown as SourceSnapshot;
}

const wanted = { slot: 's', publication: 'p', tables: [{ schema: 'public', name: 'visit' }] };
const sql = (version: number, isLeafListed: boolean) =>
  planTablesDropped(snapshot(version, isLeafListed), wanted, () => false).map((step) => step.sql);

test('a partitioned table goes with its partitions, also where the publication can only name these', () => {
  const identities = [
    'ALTER TABLE "public"."visit" REPLICA IDENTITY DEFAULT;',
    'ALTER TABLE "public"."visit_2026" REPLICA IDENTITY DEFAULT;',
  ];
  expect(sql(130_000, false)).toEqual(['ALTER PUBLICATION "p" DROP TABLE "public"."visit";', ...identities]);
  expect(sql(120_000, true)).toEqual([
    'ALTER PUBLICATION "p" DROP TABLE "public"."visit_2026";',
    ...identities,
  ]);
  // One that is named by itself, where it need not be, is meant by itself.
  expect(sql(130_000, true)).toEqual(identities.slice(0, 1));
});
