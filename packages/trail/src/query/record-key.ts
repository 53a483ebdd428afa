import { createHash } from 'node:crypto';

/** Longer keys are recorded as their SHA-256: the index that finds records can't hold them. */
const longestKeyBytes = 2_000;

/**
 * A primary key as the log holds it.
 *
 * @param parts - the text of each key column, in the key's order.
 */
export function recordKey(parts: readonly string[]): string {
  const key = parts.length === 1 ? parts[0]! : JSON.stringify(parts);
  if (Buffer.byteLength(key) <= longestKeyBytes) return key;
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
