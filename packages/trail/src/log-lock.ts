import pg from 'pg';

const sqlStateInsufficientPrivilege = '42501';

/** Session-level lock of a log: held by its writer for as long as it is connected. */
export async function tryLockLog(client: pg.ClientBase, name: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(hashtext('bemi.writer'), hashtext($1)) AS locked`,
    [name],
  );
  return rows[0]?.locked ?? false;
}

/** The session that holds the lock of a log, as the server sees it. Without the right to look, only its number is known. */
export interface LogLockHolder {
  readonly pid: number;
  readonly state: string | null;
  readonly waitEventType: string | null;
  readonly waitEvent: string | null;
  /** Another text whenever the session has begun or ended anything. */
  readonly lastActivity: string;
}

/** Who writes the log with this name, if a worker is connected that does. */
export async function findLogLockHolder(
  client: pg.ClientBase,
  name: string,
): Promise<LogLockHolder | undefined> {
  const { rows } = await client.query<LogLockHolder>(
    `SELECT l.pid, a.state, a.wait_event_type AS "waitEventType", a.wait_event AS "waitEvent",
            concat_ws(' ', a.backend_start, a.query_start, a.state_change) AS "lastActivity"
       FROM pg_locks l JOIN pg_database d ON d.oid = l.database LEFT JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
        AND l.classid::bigint = hashtext('bemi.writer')::bigint & 4294967295
        AND l.objid::bigint = hashtext($1)::bigint & 4294967295`,
    [name],
  );
  return rows[0];
}

/** Ends that session, unless it has let go meanwhile. Returns false where this role may not. */
export async function endLogLockHolder(
  client: pg.ClientBase,
  name: string,
  holder: LogLockHolder,
): Promise<boolean> {
  const now = await findLogLockHolder(client, name);
  if (now?.pid !== holder.pid || now.lastActivity !== holder.lastActivity) return true;
  try {
    await client.query('SELECT pg_terminate_backend($1)', [holder.pid]);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === sqlStateInsufficientPrivilege) return false;
    throw error;
  }
}
