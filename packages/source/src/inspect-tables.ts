import type pg from 'pg';
import { tablesQuery } from './catalog-queries.ts';
import { readRows } from './read-rows.ts';
import type { TableSnapshot } from './source-snapshot.ts';

/** The tables of a database, and what the publication does with each. */
export async function inspectTables(
  client: pg.ClientBase,
  publication: string,
  version: number,
): Promise<readonly TableSnapshot[]> {
  const rows = await readRows<TableRow>(client, tablesQuery, publication);
  return rows.map((row) => tableSnapshot(row, version));
}

interface TableRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly identity: string;
  readonly parents: readonly string[];
  readonly owner: string;
  readonly is_alterable: boolean;
  readonly extension: string | null;
  readonly has_primary_key: boolean;
  readonly has_identity_index: boolean;
  readonly row_estimate: number | null;
  readonly stored_generated: readonly string[];
  readonly virtual_generated: readonly string[];
  readonly has_column_list: boolean;
  readonly is_listed: boolean;
  readonly is_elsewhere: boolean;
  readonly is_published: boolean;
}

// pg_class.relreplident and relpersistence: https://www.postgresql.org/docs/current/catalog-pg-class.html
const identities: Readonly<Record<string, TableSnapshot['identity']>> = {
  d: 'default',
  f: 'full',
  i: 'index',
  n: 'nothing',
};
const persistences: Readonly<Record<string, TableSnapshot['persistence']>> = {
  p: 'permanent',
  u: 'unlogged',
  t: 'temporary',
};

function tableSnapshot(row: TableRow, version: number): TableSnapshot {
  // Before PostgreSQL 14 an estimate of 0 also means "never analysed".
  const isUnknown = row.row_estimate === null || (version < 140_000 && row.row_estimate === 0);
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind === 'p' ? 'partitioned' : 'table',
    parents: row.parents,
    owner: row.owner,
    isAlterable: row.is_alterable,
    extension: row.extension ?? undefined,
    persistence: persistences[row.persistence] ?? 'permanent',
    identity: identities[row.identity] ?? 'nothing',
    hasPrimaryKey: row.has_primary_key,
    hasIdentityIndex: row.has_identity_index,
    rowEstimate: isUnknown ? undefined : (row.row_estimate ?? undefined),
    storedGeneratedColumns: row.stored_generated,
    virtualGeneratedColumns: row.virtual_generated,
    hasColumnList: row.has_column_list,
    isElsewhereWithoutGenerated: row.is_elsewhere,
    isListed: row.is_listed,
    isPublished: row.is_published,
  };
}
