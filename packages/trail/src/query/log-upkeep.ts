import type pg from 'pg';

/** What of a log needs somebody's care, and does not show in its entries. */
export interface LogUpkeep {
  /** Sequences that have partitions and are not used. */
  readonly partitionRoom: number;
  /** Of the newest row or context in quarantine that is not erased. */
  readonly lastQuarantined: number | undefined;
  /** Whether the connected role could alter what is recorded: it is a superuser, or owns the tables. */
  readonly mayAlter: 'superuser' | 'owner' | undefined;
  readonly role: string;
  /** By the database's clock. */
  readonly checkpointAgeSeconds: number | undefined;
}

/** Reads it, as any role that may read the log. */
export async function logUpkeep(client: pg.ClientBase, log: number): Promise<LogUpkeep> {
  const { rows } = await client.query<{
    room: string;
    quarantined: string | null;
    role: string;
    isSuperuser: boolean;
    isOwner: boolean;
    age: number | null;
  }>(
    `SELECT coalesce((SELECT max(substring(pg_get_expr(leaf.relpartbound, leaf.oid) FROM 'TO \\(''?(\\d+)''?\\)')::bigint)
                        FROM pg_inherits i JOIN pg_class leaf ON leaf.oid = i.inhrelid
                       WHERE i.inhparent = to_regclass('bemi.change_log_' || l.log)), 0) - l.next_sequence AS room,
            (SELECT max(q.sequence) FROM bemi.quarantine q WHERE q.log = l.log AND q.part = 0 AND q.bytes IS NOT NULL)
              AS quarantined,
            current_user AS role, r.rolsuper AS "isSuperuser",
            pg_has_role(c.relowner, 'MEMBER') AS "isOwner",
            (SELECT extract(epoch FROM clock_timestamp() - f.signed_at)::float8 FROM bemi.frontier f WHERE f.log = l.log) AS age
       FROM bemi.logs l, pg_roles r, pg_class c
      WHERE l.log = $1 AND r.rolname = current_user AND c.oid = to_regclass('bemi.change_log')`,
    [log],
  );
  const row = rows[0]!;
  return {
    partitionRoom: Number(row.room),
    lastQuarantined: row.quarantined === null ? undefined : Number(row.quarantined),
    mayAlter: row.isSuperuser ? 'superuser' : row.isOwner ? 'owner' : undefined,
    role: row.role,
    checkpointAgeSeconds: row.age ?? undefined,
  };
}
