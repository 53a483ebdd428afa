import { sha256Into } from '@bemi-db/proof/node-crypto';
import { formatOrigin } from '@bemi-db/proof/origin';
import { ED25519, type VerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import { hasTrail } from '@bemi-db/trail/query/trail-summary';
import { currentKey } from '@bemi-db/trail/tree/key-events';
import type pg from 'pg';
import { CliError } from '../cli-error.ts';
import { generationOf } from '../verification/verification.ts';

/** A log, and the key that signs it by its own account. */
export interface SignedLog {
  readonly log: number;
  readonly name: string;
  readonly logId: string;
  readonly key: VerifierKey;
  /** Base64, as the log's event has it. */
  readonly publicKeyText: string;
  /** Of the event that made it sign. */
  readonly sequence: number;
}

/**
 * The logs of an audit database that are signed, by name.
 *
 * @param named - only this one.
 * @throws CliError where there is none.
 */
export async function signedLogs(
  client: pg.ClientBase,
  named: string | undefined,
): Promise<readonly SignedLog[]> {
  const logs: SignedLog[] = [];
  if (await hasTrail(client)) {
    const { rows } = await client.query<{ log: number; name: string; logId: string; generation: number }>(
      `SELECT l.log, l.name, l.log_id AS "logId", ${generationOf('l')} AS generation
         FROM bemi.logs l LEFT JOIN bemi.sources s USING (log)
        WHERE $1::text IS NULL OR l.name = $1 ORDER BY l.name`,
      [named ?? null],
    );
    for (const { log, name, logId, generation } of rows) {
      const current = await currentKey(client, log);
      if (!current) continue;
      const publicKey = new Uint8Array(Buffer.from(current.publicKey, 'base64'));
      if (publicKey.length !== 32) continue;
      const key = verifierKey(sha256Into, formatOrigin({ logId, generation }), publicKey, ED25519);
      logs.push({ log, name, logId, key, publicKeyText: current.publicKey, sequence: current.sequence });
    }
  }
  if (logs.length > 0) return logs;
  throw new CliError(
    1,
    'no-log',
    named === undefined
      ? 'The audit database has no signed log yet'
      : `The audit database has no signed log ${named}`,
    'A worker makes the key of a new log when it starts: bemi worker',
  );
}
