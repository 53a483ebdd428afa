import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import type pg from 'pg';
import type { Logger } from '../logger.ts';
import { makeWhatIsMissing } from '../prepare-source.ts';
import { isLost } from '../start-decision.ts';

/**
 * Sees to it that there is a slot from which recording can go on: one that the server has invalidated is dropped, and a
 * missing one is made, after a publication that is missing too.
 *
 * @returns whether anything was changed on the source.
 */
export async function resumeSlot(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  wanted: Wanted,
  logger: Logger,
): Promise<boolean> {
  const { slot } = snapshot;
  if (slot && !isLost(slot)) return false;
  if (slot) {
    await client.query('SELECT pg_drop_replication_slot($1)', [slot.name]);
    logger.info({ slot: slot.name }, 'Dropped the replication slot that the server had invalidated');
  }
  return await makeWhatIsMissing(client, { ...snapshot, slot: undefined }, wanted, logger);
}

/** A slot that has not heard of a skip is told: what lies before it can't be sent. */
export async function advanceSlot(client: pg.ClientBase, slot: string, toLsn: string): Promise<void> {
  await client.query('SELECT pg_replication_slot_advance($1, $2)', [slot, toLsn]);
}
