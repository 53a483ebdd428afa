import type pg from 'pg';
import { readRows } from './read-rows.ts';
import { quoteTable, type TableName } from './table-name.ts';

interface HolderRow {
  readonly pid: number | null;
  readonly application: string | null;
  readonly role: string | null;
  readonly seconds: string | null;
}

// What belongs to other roles is shown to few: pid, role and application to all, since when to pg_read_all_stats.
const holdersQuery = `
  SELECT DISTINCT l.pid, nullif(a.application_name, '') AS application, a.usename::text AS role,
         round(extract(epoch FROM clock_timestamp() - a.xact_start))::text AS seconds
    FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
     AND l.relation = to_regclass($1)
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   ORDER BY l.pid LIMIT 5`;

/** Who has a lock on a table now, as far as this role may see; nobody where they have just gone. */
export async function lockHolders(client: pg.ClientBase, table: TableName): Promise<readonly string[]> {
  const rows = await readRows<HolderRow>(client, holdersQuery, quoteTable(table));
  return rows.map(({ pid, application, role, seconds }) => {
    if (pid === null) return 'a prepared transaction (SELECT gid FROM pg_prepared_xacts;)';
    const who = application ?? (role === null ? undefined : `role ${role}`);
    const since = seconds === null ? undefined : `for ${seconds} s`;
    const facts = [who, since].filter((fact) => fact !== undefined);
    return `pid ${pid}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
  });
}
