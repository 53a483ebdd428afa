import type { SourceSnapshot, TableSnapshot } from './source-snapshot.ts';

/** An identity that SQL can set without naming an index. */
export type PlannedIdentity = 'full' | 'default';

/**
 * Why REPLICA IDENTITY FULL would make every UPDATE and DELETE of a table fail, or `undefined` where it
 * works. It is the server that refuses (42P10), in the application's statement: all columns of the identity
 * must be published. Measured on PostgreSQL 18.4: `publish_generated_columns = stored` cures stored generated
 * columns, nothing cures virtual ones, and each publication of the table is asked, not only ours.
 *
 * @see https://www.postgresql.org/docs/current/logical-replication-gencols.html
 */
export function whyFullBreaks(
  table: TableSnapshot,
  server: { readonly version: number },
): string | undefined {
  if (server.version >= 180_000 && table.virtualGeneratedColumns.length > 0) {
    return `virtual generated columns (${table.virtualGeneratedColumns.join(', ')}) cannot be published`;
  }
  if (server.version >= 180_000 && table.storedGeneratedColumns.length > 0) {
    if (table.isElsewhereWithoutGenerated) {
      return 'another publication sends it without its generated columns';
    }
  }
  if (table.hasColumnList) return 'a publication lists only some of its columns';
  return undefined;
}

/** Whether an UPDATE or DELETE can tell which row it is about. A partitioned table leaves that to its partitions. */
export function hasWorkingIdentity(table: TableSnapshot): boolean {
  if (table.kind === 'partitioned') return true;
  switch (table.identity) {
    case 'full':
      return true;
    case 'default':
      return table.hasPrimaryKey;
    case 'index':
      return table.hasIdentityIndex;
    case 'nothing':
      return false;
  }
}

/**
 * The identity that a table should get, or `undefined` where the one it has is the best there is: that is
 * FULL wherever FULL works, except for tables of extensions, which are not the application's to alter.
 *
 * @param preference - `default` leaves a table that can be told apart by a key as it is, and takes FULL for the others
 * alone.
 */
export function betterIdentity(
  table: TableSnapshot,
  server: { readonly version: number },
  preference: PlannedIdentity = 'full',
): PlannedIdentity | undefined {
  if (table.persistence !== 'permanent') return undefined; // never in the WAL
  if (table.extension !== undefined && hasWorkingIdentity(table)) return undefined;
  if (preference === 'default' && table.hasPrimaryKey && whyFullBreaks(table, server) === undefined) {
    return table.kind === 'table' && !hasWorkingIdentity(table) ? 'default' : undefined;
  }
  if (whyFullBreaks(table, server) === undefined) return table.identity === 'full' ? undefined : 'full';
  const isUseless = table.identity === 'full' || !hasWorkingIdentity(table);
  return isUseless && table.hasPrimaryKey ? 'default' : undefined;
}

/**
 * Whether no identity that {@link betterIdentity} could give makes UPDATE and DELETE work once the table is
 * published. It needs a primary key, or must stay out of the publication.
 */
export function isUnidentifiable(table: TableSnapshot, server: { readonly version: number }): boolean {
  if (table.persistence !== 'permanent' || table.kind === 'partitioned') return false;
  if (whyFullBreaks(table, server) === undefined || table.hasPrimaryKey) return false;
  return table.identity === 'full' || !hasWorkingIdentity(table);
}

/** A table with everything below it: partitions of partitions, inheritance children. In the order of the snapshot. */
export function withDescendants(
  snapshot: SourceSnapshot,
  roots: readonly TableSnapshot[],
): readonly TableSnapshot[] {
  const chosen = new Set(roots.map((table) => table.oid));
  let size: number;
  do {
    size = chosen.size;
    for (const table of snapshot.tables) {
      if (table.parents.some((parent) => chosen.has(parent))) chosen.add(table.oid);
    }
  } while (chosen.size > size);
  return snapshot.tables.filter((table) => chosen.has(table.oid));
}
