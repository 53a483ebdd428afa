import { isPlainText, requestMembers } from '../request-payload.ts';

/** What a `hold` event says, docs/spec/log.md. */
export interface HoldPayload {
  readonly event: 'placed' | 'released';
  readonly id: string;
  readonly reason?: string;
  readonly by: string;
  readonly schema?: string;
  readonly table?: string;
  /** Of one record; without, every record of the table is held. */
  readonly primaryKeyHash?: string;
}

const idPattern = /^[0-9a-f]{16}$/;
const hashPattern = /^[0-9a-f]{64}$/;

/** The payload of a hold, or why it is none. */
export function parseHold(payload: string): HoldPayload | string {
  const hold = requestMembers(payload) as Readonly<Record<keyof HoldPayload, unknown>>;
  if (typeof hold.id !== 'string' || !idPattern.test(hold.id))
    return 'the id of a hold is 16 hexadecimal digits';
  if (!isPlainText(hold.by)) return 'a hold says who wants it';
  if (hold.event === 'released') {
    return {
      event: 'released',
      id: hold.id,
      ...(isPlainText(hold.reason) ? { reason: hold.reason } : {}),
      by: hold.by,
    };
  }
  if (hold.event !== 'placed') return 'a hold is placed or released';
  if (!isPlainText(hold.reason)) return 'a hold says why';
  if (!isPlainText(hold.schema) || !isPlainText(hold.table)) return 'a hold names a table, with its schema';
  const { primaryKeyHash } = hold;
  const isOfRecord = typeof primaryKeyHash === 'string' && hashPattern.test(primaryKeyHash);
  if (primaryKeyHash !== undefined && !isOfRecord) return 'the hash of a key is 64 hexadecimal digits';
  const { id, by, reason, schema, table } = hold;
  return { event: 'placed', id, reason, by, schema, table, ...(isOfRecord ? { primaryKeyHash } : {}) };
}
