import type pg from 'pg';
import type { LogChange } from './log-change.ts';

/** A change as the journal has it, in the form of the log's. */
export type WitnessedChange = Pick<
  LogChange,
  | 'xid'
  | 'oid'
  | 'schema'
  | 'table'
  | 'operation'
  | 'beforeKind'
  | 'primaryKey'
  | 'before'
  | 'after'
  | 'context'
> & { readonly number: string };

const pageSize = 5_000;
/** pgoutput sends messages from this version on. */
const firstVersionWithContext = 140_000;

/**
 * What the journal says of some transactions, in pages.
 *
 * A change's context is the last one before it in its transaction, else the first one after it: what is undone by a
 * savepoint is not there.
 */
export async function* readWitnessedChanges(
  source: pg.ClientBase,
  xids: readonly string[],
): AsyncGenerator<readonly WitnessedChange[]> {
  let after = '0';
  for (;;) {
    const { rows } = await source.query<WitnessedChange>(
      `SELECT w.number, w.xid, w.oid::bigint::float8 AS oid, w.schema, w."table", w.operation,
              w.before_kind AS "beforeKind", w.primary_key AS "primaryKey", w.before::text, w.after::text,
              CASE WHEN current_setting('server_version_num')::integer >= ${firstVersionWithContext} THEN
                coalesce((SELECT c.content FROM witness.context c WHERE c.xid = w.xid AND c.number < w.number
                           ORDER BY c.number DESC LIMIT 1),
                         (SELECT c.content FROM witness.context c WHERE c.xid = w.xid ORDER BY c.number LIMIT 1)) END::text
                AS context
         FROM witness.change w WHERE w.xid = ANY ($1::bigint[]) AND w.number > $2 ORDER BY w.number LIMIT ${pageSize}`,
      [xids, after],
    );
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    after = last.number;
  }
}

/** The transactions of the journal that are not among these. */
export async function unseenTransactions(
  source: pg.ClientBase,
  seen: ReadonlySet<string>,
): Promise<{ xid: string; changes: number; tables: string }[]> {
  const { rows } = await source.query<{ xid: string; changes: number; tables: string }>(
    `SELECT xid, count(*)::integer AS changes, string_agg(DISTINCT schema || '.' || "table", ', ') AS tables
       FROM witness.change GROUP BY xid ORDER BY min(number)`,
  );
  return rows.filter(({ xid }) => !seen.has(xid));
}

/** A transaction of the journal that made the same change of a row, other than this one. */
export async function otherSourceTransactionWith(
  source: pg.ClientBase,
  change: Pick<LogChange, 'xid' | 'oid' | 'operation' | 'before' | 'after'>,
): Promise<string | undefined> {
  const { rows } = await source.query<{ xid: string }>(
    `SELECT xid FROM witness.change
      WHERE oid = $1 AND operation = $2 AND xid <> $3
        AND before IS NOT DISTINCT FROM $4::jsonb AND after IS NOT DISTINCT FROM $5::jsonb LIMIT 1`,
    [change.oid, change.operation, change.xid, change.before, change.after],
  );
  return rows[0]?.xid;
}
