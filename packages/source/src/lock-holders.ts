import type pg from 'pg';
import { readRows } from './read-rows.ts';
import { displayTable, quoteTable, type TableName } from './table-name.ts';

interface HolderRow {
  readonly pid: number | null;
  readonly schema: string;
  readonly name: string;
  readonly application: string | null;
  readonly role: string | null;
  readonly seconds: string | null;
}

// What conflicts with SHARE UPDATE EXCLUSIVE, which ALTER PUBLICATION takes: VACUUM and statements that change tables.
// https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
const changingModes = `'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'`;

// What belongs to other roles is shown to few: pid, role and application to all, since when to pg_read_all_stats.
/** $1: tables. $2: whether only locks that change tables count. */
const holdersQuery = `
  SELECT DISTINCT l.pid, n.nspname::text AS schema, c.relname::text AS name,
         coalesce(nullif(a.application_name, ''), nullif(a.backend_type, 'client backend')) AS application,
         a.usename::text AS role, round(extract(epoch FROM clock_timestamp() - a.xact_start))::text AS seconds
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND (l.mode IN (${changingModes}) OR $2 = 'any')
     AND l.relation = ANY (SELECT to_regclass(name)::oid FROM unnest($1::text[]) AS wanted(name))
   ORDER BY l.pid LIMIT 5`;

/**
 * Who has a lock on one of these tables now, as far as this role may see; nobody where they have just gone.
 *
 * @param locks - any, or only those that change tables.
 */
export async function lockHolders(
  client: pg.ClientBase,
  tables: readonly TableName[],
  locks: 'any' | 'changing',
): Promise<readonly string[]> {
  const names = `{${tables.map((table) => JSON.stringify(quoteTable(table))).join(',')}}`;
  const rows = await readRows<HolderRow>(client, holdersQuery, names, locks);
  return rows.map((row) => {
    const where = tables.length > 1 ? ` on ${displayTable(row)}` : '';
    if (row.pid === null) return `a prepared transaction${where} (SELECT gid FROM pg_prepared_xacts;)`;
    const who = row.application ?? (row.role === null ? undefined : `role ${row.role}`);
    const since = row.seconds === null ? undefined : `for ${row.seconds} s`;
    const facts = [who, since].filter((fact) => fact !== undefined);
    return `pid ${row.pid}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}${where}`;
  });
}
