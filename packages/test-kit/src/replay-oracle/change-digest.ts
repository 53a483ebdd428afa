import { createHash } from 'node:crypto';
import type { LogChange } from './log-change.ts';
import type { WitnessedChange } from './witnessed-change.ts';

/** A change of the log or of the journal: both have what the two must agree on. */
export type ComparableChange = LogChange | WitnessedChange;

/** The digest of all that log and journal must agree on. */
export function changeDigest(change: ComparableChange): string {
  const { oid, schema, table, operation, beforeKind, primaryKey, before, after, context } = change;
  const fields = [oid, schema, table, operation, beforeKind, primaryKey, before, after, context];
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64');
}
