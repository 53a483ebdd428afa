import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { SequencePair } from '../erasure/sequence-pairs.ts';

/** What must not be erased: every record of a table, or one. */
export interface Hold {
  readonly id: string;
  /** Sequence of the event that placed it. */
  readonly sequence: string;
  readonly schema: string;
  readonly table: string;
  /** Whether it keeps one record; which one is known by its hash alone. */
  readonly isOfRecord: boolean;
  readonly reason: string;
  readonly placedBy: string;
}

export function newHoldId(): string {
  return randomBytes(8).toString('hex');
}

/**
 * What a `hold` event says of a key, docs/spec/log.md. The hold's id is random, so that the hashes of two holds don't tell
 * whether they are of one record; whoever can guess a key can still confirm the guess.
 */
export function holdKeyHash(holdId: string, primaryKey: string): string {
  return createHash('sha256').update(`${holdId}\n${primaryKey}`).digest('hex');
}

/** The holds in force, oldest first. */
export function readHolds(client: pg.ClientBase, log: number): Promise<Hold[]> {
  return holdsOf(client, 'bemi.holds h WHERE h.log = $1', [log]);
}

/** Those that keep some of these entries. */
export function holdsOnEntries(
  client: pg.ClientBase,
  log: number,
  entries: readonly SequencePair[],
): Promise<Hold[]> {
  return holdsOf(client, 'bemi.holds_on($1, $2) h', [log, JSON.stringify(entries)]);
}

/** Those that keep some entry before a sequence. */
export function holdsBefore(client: pg.ClientBase, log: number, before: number): Promise<Hold[]> {
  return holdsOf(client, 'bemi.holds_before($1, $2) h', [log, before]);
}

async function holdsOf(client: pg.ClientBase, from: string, values: readonly unknown[]): Promise<Hold[]> {
  const { rows } = await client.query<Hold>(
    `SELECT h.id, h.sequence::text AS sequence, h.schema_name AS schema, h.table_name AS "table",
            h.primary_key_hash IS NOT NULL AS "isOfRecord", h.reason, h.placed_by AS "placedBy"
       FROM ${from} ORDER BY h.sequence`,
    [...values],
  );
  return rows;
}
