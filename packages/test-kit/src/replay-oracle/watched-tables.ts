import type pg from 'pg';

/** A table that the journal watches, as the source describes it. */
export interface WatchedTable {
  readonly oid: number;
  /** As it is called now, quoted. */
  readonly name: string;
  /** Columns by which its rows are told apart; `null` where only a whole row is one. */
  readonly replayKey: readonly string[] | null;
  readonly unpublished: readonly string[];
  /** Columns whose values may be absent from an UPDATE that left them alone. */
  readonly wide: readonly string[];
}

export async function readWatchedTables(source: pg.ClientBase): Promise<WatchedTable[]> {
  const { rows } = await source.query<WatchedTable>(
    `SELECT w.oid::bigint::float8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, replay_key AS "replayKey",
            unpublished, wide
       FROM witness.watched w JOIN pg_class c ON c.oid = w.oid JOIN pg_namespace n ON n.oid = c.relnamespace
      ORDER BY w.oid`,
  );
  return rows;
}
