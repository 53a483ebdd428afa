import { decodeBase64 } from '@bemi-db/proof/base64';
import { sameBytes } from '@bemi-db/proof/hash';
import type { ReportedEvent } from '@bemi-db/trail/verify/log-facts';
import type { KnownKey } from './known-keys.ts';

/** A key of the log, from the event that made it sign. */
export interface LogKey {
  readonly sequence: number;
  readonly event: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Base64. */
  readonly publicKeyText: string;
  readonly reason: string | undefined;
  readonly by: string | undefined;
  /** How it is known that it is the log's: somebody gave it, or a key that is known so signed it in. */
  readonly known: { readonly from: string } | 'by-rotation' | undefined;
}

/**
 * The keys that signed a log, and which of them are vouched for by somebody outside of the audit database. A key that
 * took the place of a lost one is vouched for by nobody unless it is known itself.
 */
export function keyHistory(events: readonly ReportedEvent[], given: readonly KnownKey[]): LogKey[] {
  const keys: LogKey[] = [];
  for (const { kind, sequence, payload } of events) {
    if (kind !== 'key') continue;
    const { event, publicKey: text, reason, by } = payload as Record<string, unknown>;
    const publicKey = typeof text === 'string' ? decodeBase64(text) : undefined;
    if (publicKey?.length !== 32 || typeof event !== 'string') continue;
    const isGiven = given.find(({ key }) => sameBytes(key.publicKey, publicKey));
    const byRotation = event === 'rotated' && keys.at(-1)?.known !== undefined ? 'by-rotation' : undefined;
    keys.push({
      ...{ sequence, event, publicKey, publicKeyText: String(text) },
      reason: typeof reason === 'string' ? reason : undefined,
      by: typeof by === 'string' ? by : undefined,
      known: isGiven ? { from: isGiven.from } : byRotation,
    });
  }
  return keys;
}
