import type { Disclosed, PartToProve } from '@bemi-db/proof/entry-proof';
import { decodeRecord } from '@bemi-db/proof/record';
import type pg from 'pg';
import { readQuarantine } from '../entries/quarantined-texts.ts';
import { readEntries } from '../entries/read-entries.ts';

/** The texts of an entry as they are stored. */
interface StoredTexts {
  readonly salt: Buffer | null;
  readonly primaryKey?: string | null;
  readonly before?: string | null;
  readonly after?: string | null;
  readonly context?: string | null;
  readonly actor?: string | null;
  readonly payload?: string | null;
}

const queries = {
  change: `SELECT salt, primary_key AS "primaryKey", before::text AS before, after::text AS after
             FROM bemi.change_log WHERE log = $1 AND sequence = $2`,
  context: 'SELECT salt, context::text AS context FROM bemi.context_log WHERE log = $1 AND sequence = $2',
  commit: 'SELECT salt, actor::text AS actor FROM bemi.transaction_log WHERE log = $1 AND sequence = $2',
  event: 'SELECT salt, actor, payload::text AS payload FROM bemi.event_log WHERE log = $1 AND sequence = $2',
} as const;

/**
 * An entry as a proof holds it: its record, and the texts that it commits to, or null where they were erased or there are
 * none (docs/spec/proof.md). Nothing of it is verified.
 *
 * @returns `undefined` where there is no entry with this sequence.
 */
export async function partToProve(
  client: pg.ClientBase,
  log: number,
  sequence: number,
): Promise<PartToProve | undefined> {
  const chunk = await readEntries(client, log, sequence, sequence + 1);
  const end = chunk.ends[0]!;
  if (end === 0) return undefined;
  const record = chunk.records.slice(chunk.starts[0], end);
  const decoded = decodeRecord(record);
  if (decoded.kind === 'opaque' || chunk.erased.has(0)) return { record, disclosed: null };
  const { rows } = await client.query<StoredTexts>(queries[decoded.kind], [log, sequence]);
  const { salt, ...texts } = rows[0]!;
  if (salt === null) return { record, disclosed: null };
  const quarantine =
    'quarantined' in decoded && decoded.quarantined
      ? await quarantineOf(client, log, sequence, decoded.kind)
      : undefined;
  const disclosed: Disclosed = { salt: new Uint8Array(salt), ...texts, ...(quarantine && { quarantine }) };
  return { record, disclosed };
}

async function quarantineOf(
  client: pg.ClientBase,
  log: number,
  sequence: number,
  kind: 'change' | 'context',
): Promise<Disclosed['quarantine']> {
  const { rows, contexts } = await readQuarantine(client, log, sequence, sequence + 1);
  const stored = (kind === 'change' ? rows : contexts).get(sequence);
  return stored?.bytesHash && { reason: stored.reason, bytesHash: stored.bytesHash };
}
