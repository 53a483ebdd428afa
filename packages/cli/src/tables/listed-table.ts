import { hasWorkingIdentity } from '@bemi-db/source/identity';
import type { SourceSnapshot, TableSnapshot } from '@bemi-db/source/source-snapshot';
import { quoteTable } from '@bemi-db/source/table-name';
import type { RecordedSince } from '@bemi-db/trail/query/recorded-since';
import { type RuledTable, type TableRules, tableRules } from '@bemi-db/trail/rules/table-rules';
import type { TrackingRules } from '@bemi-db/trail/rules/tracking-rules';

/** A table as `bemi tables list` shows it. */
export interface ListedTable {
  readonly schema: string;
  readonly table: string;
  /** Whether its changes are sent and no rule leaves it out; of a partitioned table, those of all its partitions. */
  readonly isRecorded: boolean;
  /** Why not, or what is lacking; empty where all is well. */
  readonly note: string;
  readonly identity: TableSnapshot['identity'];
  readonly partitions: number | undefined;
  /** As the server last estimated. */
  readonly rows: number | undefined;
  /** Of its first change in the log; `undefined` where there is none, or the audit database was not asked. */
  readonly recordedSince: string | undefined;
  readonly ignored: readonly string[];
  readonly redacted: TableRules['redacted'];
}

/** Names of a table's columns. */
export type ListedColumns = Pick<RuledTable, 'columns' | 'primaryKey'>;

/** What the audit database says of the tables, where there is one. */
export interface TrailOfTables {
  readonly since: readonly RecordedSince[];
  readonly rules: TrackingRules | undefined;
}

/** The application's tables; partitions are counted at their root. */
export function listedTables(
  snapshot: SourceSnapshot,
  columns: ReadonlyMap<string, ListedColumns>,
  trail: TrailOfTables | undefined,
): readonly ListedTable[] {
  const leaves = leavesByRoot(snapshot);
  const since = new Map(
    trail?.since.map((each) => [quoteTable({ schema: each.schema, name: each.table }), each.since]),
  );
  const isPartition = new Set([...leaves.values()].flat().map(({ oid }) => oid));
  const partitioned = new Set(
    snapshot.tables.filter(({ kind }) => kind === 'partitioned').map(({ oid }) => oid),
  );
  return snapshot.tables
    .filter(
      (table) => !isPartition.has(table.oid) && !table.parents.some((parent) => partitioned.has(parent)),
    )
    .map((table) => {
      const parts = table.kind === 'partitioned' ? (leaves.get(table.oid) ?? []) : [table];
      const rules = trail?.rules && rulesOf(trail.rules, table, columns.get(table.oid));
      const note = noteOf(table, parts, rules);
      const moments = parts.flatMap((part) => since.get(quoteTable(part)) ?? []).sort();
      return {
        schema: table.schema,
        table: table.name,
        isRecorded:
          (rules?.isRecorded ?? true) &&
          (parts.length > 0 ? parts.every(({ isPublished }) => isPublished) : isAnnounced(snapshot, table)),
        note,
        identity: (parts.find(({ identity }) => identity !== 'full') ?? table).identity,
        partitions: table.kind === 'partitioned' ? parts.length : undefined,
        rows: sum(parts.map(({ rowEstimate }) => rowEstimate)),
        recordedSince: moments[0],
        ignored: rules?.ignored ?? [],
        redacted: rules?.redacted ?? {},
      };
    });
}

function noteOf(
  table: TableSnapshot,
  parts: readonly TableSnapshot[],
  rules: TableRules | undefined,
): string {
  if (table.persistence === 'unlogged') return 'unlogged: nothing can record it';
  if (rules && !rules.isRecorded) return 'left out by a rule';
  const unpublished = parts.filter(({ isPublished }) => !isPublished);
  if (unpublished.length > 0) {
    return unpublished.length === parts.length
      ? 'not published'
      : `${unpublished.length} of ${parts.length} partitions not published`;
  }
  if (parts.some((part) => !hasWorkingIdentity(part))) return 'UPDATE and DELETE fail: no identity';
  return '';
}

/** A partitioned table without partitions has nothing to send yet. */
function isAnnounced({ publication }: SourceSnapshot, table: TableSnapshot): boolean {
  return table.isListed || publication?.isForAllTables === true;
}

/** Partitions, and partitions of partitions, by the oid of the table at their root. */
function leavesByRoot({ tables }: SourceSnapshot): ReadonlyMap<string, readonly TableSnapshot[]> {
  const byOid = new Map(tables.map((table) => [table.oid, table]));
  const rootOf = (table: TableSnapshot): TableSnapshot => {
    const parent = table.parents.map((oid) => byOid.get(oid)).find((each) => each?.kind === 'partitioned');
    return parent ? rootOf(parent) : table;
  };
  const leaves = new Map<string, TableSnapshot[]>();
  for (const table of tables) {
    const root = rootOf(table);
    if (root === table || table.kind !== 'table') continue;
    const parts = leaves.get(root.oid);
    if (parts) parts.push(table);
    else leaves.set(root.oid, [table]);
  }
  return leaves;
}

function rulesOf(
  rules: TrackingRules,
  { schema, name }: TableSnapshot,
  { columns, primaryKey }: ListedColumns = { columns: [], primaryKey: [] },
): TableRules {
  return tableRules(rules, {
    ...{ schema, table: name, rootSchema: schema, rootTable: name },
    ...{ columns, primaryKey },
  });
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}
