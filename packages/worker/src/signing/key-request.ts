import { encodeBase64 } from '@bemi-db/proof/base64';
import { verifyRotation } from '@bemi-db/proof/key-rotation';
import { verifyEd25519 } from '@bemi-db/proof/node-crypto';
import type { InboxRequest } from '@bemi-db/trail/inbox';
import { openKeyRequests } from '@bemi-db/trail/inbox';
import type pg from 'pg';

/** The log whose key is to be another one. */
export interface KeyedLog {
  readonly log: number;
  readonly logId: string;
  /** The key that signs it by its own events: 32 bytes. */
  readonly currentKey: Uint8Array;
}

const keyBytes = 32;

/**
 * Why a request for another signing key can't be granted, or `undefined`. A rotation must be signed by the key that signs
 * now; a replacement must say why, and is reported by every verification.
 */
export async function keyRequestProblem(
  request: InboxRequest,
  { logId, currentKey }: Omit<KeyedLog, 'log'>,
): Promise<string | undefined> {
  const payload = (JSON.parse(request.payload) ?? {}) as Record<string, unknown>;
  const publicKey = bytesOf(payload['publicKey']);
  if (publicKey?.length !== keyBytes) return 'it names no key';
  if (payload['previous'] !== encodeBase64(currentKey)) return 'it does not name the key that signs now';
  if (payload['publicKey'] === payload['previous']) return 'the key that it names signs already';
  if (payload['event'] === 'replaced') {
    return typeof payload['reason'] === 'string' ? undefined : 'a replacement needs a reason';
  }
  if (payload['event'] !== 'rotated') return 'it is neither a rotation nor a replacement';
  const signature = bytesOf(payload['signature']) ?? new Uint8Array();
  const isSigned = await verifyRotation({ logId, previous: currentKey, publicKey }, signature, verifyEd25519);
  return isSigned ? undefined : 'it is not signed by the key that signs now';
}

/** The newest request by which this key takes the place of the log's, if there is one. */
export async function findKeyRequest(
  client: pg.ClientBase,
  log: KeyedLog,
  publicKey: Uint8Array,
): Promise<InboxRequest | undefined> {
  const wanted = encodeBase64(publicKey);
  for (const request of await openKeyRequests(client, log.log)) {
    const payload = (JSON.parse(request.payload) ?? {}) as Record<string, unknown>;
    if (payload['publicKey'] === wanted && (await keyRequestProblem(request, log)) === undefined)
      return request;
  }
  return undefined;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : undefined;
}
