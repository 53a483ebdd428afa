import type pg from 'pg';
import { parseHold } from '../holds/hold-request.ts';
import type { ReportedEvent } from './log-facts.ts';
import type { StoredFinding } from './stored-finding.ts';

/**
 * Compares the table `holds`, by which the worker refuses to erase, with the events that place and release them.
 *
 * @param events - as they were verified, in the order of the log.
 * @param size - of the log, as far as it was verified: it may have grown since.
 */
export async function verifyHolds(
  client: pg.ClientBase,
  log: number,
  events: readonly ReportedEvent[],
  size: number,
): Promise<StoredFinding[]> {
  const inForce = new Map<string, { readonly sequence: number; readonly fields: string }>();
  for (const { kind, sequence, payload } of events) {
    const hold = kind === 'hold' ? parseHold(JSON.stringify(payload)) : undefined;
    if (hold === undefined || typeof hold === 'string') continue;
    if (hold.event === 'released') inForce.delete(hold.id);
    else {
      const { schema, table, primaryKeyHash = null, reason, by } = hold;
      const fields = JSON.stringify([sequence, schema, table, primaryKeyHash, reason, by]);
      inForce.set(hold.id, { sequence, fields });
    }
  }
  const { rows } = await client.query<{ id: string; sequence: string; fields: unknown[] }>(
    `SELECT id, sequence, json_build_array(sequence, schema_name, table_name, primary_key_hash, reason, placed_by) AS fields
       FROM bemi.holds WHERE log = $1 AND (sequence < $2 OR sequence >= (SELECT next_sequence FROM bemi.logs WHERE log = $1))`,
    [log, size],
  );
  const findings: StoredFinding[] = [];
  for (const { id, sequence, fields } of rows) {
    const event = inForce.get(id);
    inForce.delete(id);
    if (event?.fields !== JSON.stringify(fields))
      findings.push({ code: 'hold-altered', sequence: event?.sequence ?? Number(sequence), id });
  }
  const released = inForce.size > 0 ? await releasedSince(client, log, size) : new Set();
  for (const [id, { sequence }] of inForce)
    if (!released.has(id)) findings.push({ code: 'hold-altered', sequence, id });
  return findings;
}

/** Holds that were released while the log was verified. */
async function releasedSince(client: pg.ClientBase, log: number, size: number): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT payload->>'id' AS id FROM bemi.event_log
      WHERE log = $1 AND sequence >= $2 AND sequence < (SELECT next_sequence FROM bemi.logs WHERE log = $1)
        AND kind = 'hold' AND payload->>'event' = 'released'`,
    [log, size],
  );
  return new Set(rows.map(({ id }) => id));
}
