import { ddlSchema } from '@bemi-db/source/ddl/ddl-functions';
import { functionsInstalled, inspectDdl, installedOptions } from '@bemi-db/source/ddl/inspect-ddl';
import type { Coverage, CoverageSource, CoverageTable } from '@bemi-db/trail/coverage/coverage-document';
import { CompiledRules } from '@bemi-db/trail/rules/table-rules';
import { isWithoutRules, type TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import type pg from 'pg';

export interface CoverageOptions {
  readonly publication: string;
  /** Those in force, with the sequence of the entry that set them. */
  readonly rules: { readonly sequence: number; readonly rules: TrackingRules } | undefined;
}

/** Looks at a source's catalog: what of it is recorded, and how. Takes no lock on a table, and any role may. */
export async function inspectCoverage(
  client: pg.ClientBase,
  { publication, rules }: CoverageOptions,
): Promise<Coverage> {
  // First: what was committed before this position is in what is read after it.
  const { rows: position } = await client.query<{ lsn: string }>(
    `SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END)::text AS lsn`,
  );
  const { rows: publications } = await client.query<PublicationRow>(publicationQuery, [publication]);
  const compiled = rules && !isWithoutRules(rules.rules) ? new CompiledRules(rules.rules) : undefined;
  const { rows: tables } = await client.query<TableRow>(tablesQuery, [publication, compiled !== undefined]);
  const ddl = await inspectDdl(client);
  const source: CoverageSource = {
    publication: publications[0] ? publicationOf(publications[0]) : null,
    eventTriggers: {
      functions: functionsInstalled(ddl, installedOptions(ddl)),
      triggers: Object.fromEntries(ddl.triggers.map(({ name, state }) => [name, state])),
      on: ddl.areTriggersOn,
    },
    rules: rules?.sequence ?? null,
  };
  return {
    asOfLsn: position[0]!.lsn,
    source,
    tables: new Map(tables.map((row) => [row.oid, tableOf(row, compiled)])),
  };
}

interface PublicationRow {
  readonly name: string;
  readonly allTables: boolean;
  readonly operations: readonly string[];
  readonly viaRoot: boolean;
}

function publicationOf({
  name,
  allTables,
  operations,
  viaRoot,
}: PublicationRow): CoverageSource['publication'] {
  return { name, allTables, operations, viaRoot };
}

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly isPartitioned: boolean;
  readonly isUnlogged: boolean;
  readonly identity: string;
  readonly identifies: boolean;
  readonly published: boolean;
  readonly filter: string | null;
  readonly withheld: readonly string[] | null;
  readonly columns: number;
  readonly shape: string;
  /** Only where there are rules. */
  readonly names: readonly string[] | null;
  readonly primaryKey: readonly string[] | null;
  readonly rootSchema: string | null;
  readonly rootTable: string | null;
}

const identities: Readonly<Record<string, CoverageTable['identity']>> = {
  d: 'default',
  f: 'full',
  i: 'index',
  n: 'nothing',
};

/** The order of members is that of docs/spec/coverage.md. */
function tableOf(row: TableRow, rules: CompiledRules | undefined): CoverageTable {
  const ruled = rules && rulesOf(row, rules);
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.isPartitioned ? 'partitioned table' : 'table',
    persistence: row.isUnlogged ? 'unlogged' : 'permanent',
    identity: identities[row.identity] ?? 'nothing',
    identifies: row.identifies,
    published: row.published,
    ...(row.filter === null ? {} : { filter: row.filter }),
    ...(row.published && row.withheld ? { withheld: row.withheld } : {}),
    columns: row.columns,
    ...(ruled && Object.keys(ruled).length > 0 ? { rules: ruled } : {}),
    shape: row.shape,
  };
}

function rulesOf(row: TableRow, rules: CompiledRules): NonNullable<CoverageTable['rules']> {
  const { isRecorded, ignored, redacted } = rules.of({
    schema: row.schema,
    table: row.name,
    rootSchema: row.rootSchema ?? row.schema,
    rootTable: row.rootTable ?? row.name,
    columns: row.names ?? [],
    primaryKey: row.primaryKey ?? [],
  });
  return {
    ...(isRecorded ? {} : { recorded: false }),
    ...(ignored.length > 0 ? { ignored } : {}),
    ...(Object.keys(redacted).length > 0 ? { redacted } : {}),
  };
}

const publicationQuery = `
  SELECT p.pubname::text AS name, p.puballtables AS "allTables", coalesce((to_jsonb(p) ->> 'pubviaroot')::boolean, false) AS "viaRoot",
         array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'INSERT' END, CASE WHEN p.pubupdate THEN 'UPDATE' END,
                            CASE WHEN p.pubdelete THEN 'DELETE' END, CASE WHEN p.pubtruncate THEN 'TRUNCATE' END], NULL) AS operations
    FROM pg_publication p WHERE p.pubname = $1`;

// Row filters and column lists are PostgreSQL 15's. Before 18 generated columns are never sent, whatever pg_publication_tables
// says.
const tablesQuery = `
  WITH published AS MATERIALIZED (
         SELECT pt.schemaname, pt.tablename, to_jsonb(pt) ->> 'rowfilter' AS filter, to_jsonb(pt) -> 'attnames' AS names
           FROM pg_publication_tables pt WHERE pt.pubname = $1),
       tables AS MATERIALIZED (
         SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident, c.relispartition
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
            AND n.nspname NOT IN ('information_schema', 'bemi', '${ddlSchema}') AND n.nspname !~ '^pg_'),
       columns AS MATERIALIZED (
         SELECT a.attrelid, count(*)::int AS count,
                string_agg(format('%s %s %s', a.attname, a.atttypid::oid, a.atttypmod), E'\\n' ORDER BY a.attnum) AS text,
                jsonb_agg(a.attname ORDER BY a.attnum) AS names,
                coalesce(jsonb_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attgenerated = ''), '[]') AS plain
           FROM pg_attribute a JOIN tables t ON t.oid = a.attrelid
          WHERE a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid),
       keys AS MATERIALIZED (
         SELECT i.indrelid, bool_or(i.indisprimary AND i.indimmediate) AS has_key, bool_or(i.indisreplident AND i.indisvalid) AS has_identity
           FROM pg_index i JOIN tables t ON t.oid = i.indrelid GROUP BY i.indrelid)
  SELECT t.oid::bigint::float8 AS oid, t.nspname::text AS schema, t.relname::text AS name, t.relkind = 'p' AS "isPartitioned",
         t.relpersistence = 'u' AS "isUnlogged", t.relreplident::text AS identity,
         CASE t.relreplident WHEN 'f' THEN true WHEN 'd' THEN coalesce(k.has_key, false) WHEN 'i' THEN coalesce(k.has_identity, false)
              ELSE false END AS identifies,
         p.tablename IS NOT NULL AS published, p.filter,
         CASE WHEN c.names <> c.plain OR c.names <> p.names THEN
           (SELECT array_agg(name) FROM jsonb_array_elements_text(c.names) AS name
             WHERE NOT coalesce(p.names, c.plain) ? name
                OR current_setting('server_version_num')::integer < 180000 AND NOT c.plain ? name) END AS withheld,
         coalesce(c.count, 0) AS columns,
         left(encode(sha256(convert_to(coalesce(c.text, ''), getdatabaseencoding())), 'hex'), 32) AS shape,
         CASE WHEN $2::boolean THEN ARRAY(SELECT jsonb_array_elements_text(c.names)) END AS names,
         CASE WHEN $2 THEN ARRAY(SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                                  WHERE i.indrelid = t.oid AND i.indisprimary) END AS "primaryKey",
         CASE WHEN $2 THEN rn.nspname::text END AS "rootSchema", CASE WHEN $2 THEN root.relname::text END AS "rootTable"
    FROM tables t
    LEFT JOIN columns c ON c.attrelid = t.oid
    LEFT JOIN keys k ON k.indrelid = t.oid
    LEFT JOIN published p ON p.schemaname = t.nspname AND p.tablename = t.relname
    LEFT JOIN pg_class root ON $2 AND root.oid = CASE WHEN t.relispartition THEN pg_partition_root(t.oid) END
    LEFT JOIN pg_namespace rn ON rn.oid = root.relnamespace`;
