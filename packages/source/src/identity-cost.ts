import type pg from 'pg';
import { readRows } from './read-rows.ts';
import type { TableSnapshot } from './source-snapshot.ts';
import { sqlStateOf } from './sql-state.ts';
import { nameOf, type TableName } from './table-name.ts';

/** What REPLICA IDENTITY FULL adds to the WAL, estimated from the server's statistics. */
export interface IdentityCost extends TableName {
  /** For each UPDATE and DELETE: an old row of average size, with its TOASTed values. */
  readonly walBytesPerChange: number;
  /** UPDATEs and DELETEs; `undefined` where the server has not counted for long enough. */
  readonly changesPerDay: number | undefined;
  readonly walBytesPerDay: number | undefined;
}

interface StatisticsRow {
  readonly schema: string;
  readonly name: string;
  readonly row_width: number | null;
  readonly heap_bytes: number;
  readonly toast_bytes: string;
  readonly rows: number;
  readonly changes: string | null;
  readonly counted_seconds: number | null;
}

// avg_width counts a value that lives in the TOAST table as the pointer to it. The old row in the WAL has the values
// themselves, as they are stored: what the TOAST table holds for each row is added.
// A statistic that was never reset counts since all of them were, after initdb or a crash.
/** $1: oids. */
const statisticsQuery = `
  WITH width AS MATERIALIZED (
         SELECT schemaname, tablename, sum(avg_width * (1 - null_frac)) AS bytes
           FROM pg_stats WHERE NOT inherited GROUP BY 1, 2),
       counted AS MATERIALIZED (
         SELECT extract(epoch FROM clock_timestamp() - coalesce(
                  (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()),
                  (SELECT stats_reset FROM pg_stat_bgwriter)))::float8 AS seconds)
  SELECT n.nspname::text AS schema, c.relname::text AS name, w.bytes::float8 AS row_width,
         c.relpages::float8 * current_setting('block_size')::int4 AS heap_bytes,
         CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_relation_size(c.reltoastrelid) END::text AS toast_bytes,
         c.reltuples::float8 AS rows, (s.n_tup_upd + s.n_tup_del)::text AS changes,
         (SELECT seconds FROM counted) AS counted_seconds
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN width w ON w.schemaname = n.nspname AND w.tablename = c.relname
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
   WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'r' AND c.reltuples > 0`;

/**
 * What FULL costs for each of these tables that the server has statistics of, the dearest first. It looks at the size of
 * TOAST tables, which waits for whoever rewrites one: then, after `lockTimeoutMs`, nothing is known.
 */
export async function identityCosts(
  client: pg.ClientBase,
  tables: readonly TableSnapshot[],
  lockTimeoutMs = 2_000,
): Promise<readonly IdentityCost[]> {
  if (tables.length === 0) return [];
  await client.query(`BEGIN READ ONLY; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  try {
    const oids = `{${tables.map(({ oid }) => oid).join(',')}}`;
    const rows = await readRows<StatisticsRow>(client, statisticsQuery, oids);
    return rows.map(identityCost).sort(byCost);
  } catch (error) {
    if (sqlStateOf(error) === '55P03') return [];
    throw error;
  } finally {
    await client.query('ROLLBACK');
  }
}

// Counters of an hour say little about a day.
const fewestSeconds = 3_600;

function identityCost(row: StatisticsRow): IdentityCost {
  const width = row.row_width ?? row.heap_bytes / row.rows; // without SELECT on it, its statistics aren't shown
  const walBytesPerChange = Math.round(width + Number(row.toast_bytes) / row.rows);
  const seconds = row.counted_seconds ?? 0;
  const changesPerDay =
    row.changes === null || seconds < fewestSeconds
      ? undefined
      : Math.round((Number(row.changes) / seconds) * 86_400);
  return {
    ...nameOf(row),
    walBytesPerChange,
    changesPerDay,
    walBytesPerDay: changesPerDay === undefined ? undefined : changesPerDay * walBytesPerChange,
  };
}

function byCost(a: IdentityCost, b: IdentityCost): number {
  return (b.walBytesPerDay ?? 0) - (a.walBytesPerDay ?? 0) || b.walBytesPerChange - a.walBytesPerChange;
}

/** The tables that steps of a plan are about. */
export function tablesOf(
  tables: readonly TableSnapshot[],
  names: readonly TableName[],
): readonly TableSnapshot[] {
  const keys = new Set(names.map((name) => JSON.stringify([name.schema, name.name])));
  return tables.filter((table) => keys.has(JSON.stringify([table.schema, table.name])));
}
