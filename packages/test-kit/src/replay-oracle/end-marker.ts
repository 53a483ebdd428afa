import type pg from 'pg';

/**
 * Writes a last transaction, once the clients have ended: when the log holds it, it holds all before it.
 *
 * @returns its xid as the log has it.
 */
export async function writeMarker(source: pg.ClientBase): Promise<string> {
  const { rows } = await source.query<{ xid: string }>(
    `WITH marked AS (INSERT INTO shop.event (what) VALUES ('marker') RETURNING id) SELECT witness.xid() AS xid FROM marked`,
  );
  return rows[0]!.xid;
}

/** Whether the log holds the marker. */
export async function isMarkerRecorded(audit: pg.ClientBase, xid: string, log = 0): Promise<boolean> {
  const { rowCount } = await audit.query(
    'SELECT FROM bemi.transaction_log WHERE log = $1 AND xid = $2 ORDER BY sequence DESC LIMIT 1',
    [log, xid],
  );
  return rowCount === 1;
}
