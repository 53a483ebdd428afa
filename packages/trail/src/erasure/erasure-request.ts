import { isPlainText, requestMembers } from '../request-payload.ts';
import type { SequencePair } from './sequence-pairs.ts';

/** What an `erasure` event says, docs/spec/log.md. No key is in it: it would be personal data itself. */
export interface ErasurePayload {
  readonly entries: readonly SequencePair[];
  readonly reason: string;
  readonly by: string;
}

/** Entries in one event: an audit transaction that erases so many takes less than a second. */
export const mostErasedEntries = 5_000;

/** The payload of an erasure, or why it is none. */
export function parseErasure(payload: string): ErasurePayload | string {
  const { entries, reason, by } = requestMembers(payload);
  if (!isPlainText(reason) || !isPlainText(by)) return 'an erasure says why, and who wants it';
  if (!Array.isArray(entries) || entries.length === 0 || !entries.every(isPair))
    return 'entries are not a list of pairs of sequences';
  let last = -1;
  let count = 0;
  for (const [first, end] of entries as SequencePair[]) {
    if (first <= last) return 'entries are not in ascending order';
    last = end;
    count += end - first + 1;
  }
  if (count > mostErasedEntries) return `these are more than ${mostErasedEntries} entries`;
  return { entries, reason, by };
}

function isPair(value: unknown): value is SequencePair {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((sequence) => Number.isSafeInteger(sequence) && sequence >= 0) &&
    value[0] <= value[1]
  );
}
