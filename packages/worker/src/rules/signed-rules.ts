import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { inclusionProof, verifyInclusion } from '@bemi-db/proof/inclusion-proof';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import type { TreeHead } from '@bemi-db/trail/append/log-tree';
import type { RecordedRules } from '@bemi-db/trail/rules/recorded-rules';
import { readRecords } from '@bemi-db/trail/tree/stored-records';
import { StoredTreeError, storedTiles } from '@bemi-db/trail/tree/stored-tree';
import type pg from 'pg';
import { RefusalError } from '../refusal.ts';

/**
 * Makes sure that rules, as they were read, are those that were signed: whoever can alter the audit database could else
 * have changes left out, or secrets recorded, by altering one entry.
 *
 * @param head - of the log, which was compared with what was signed.
 * @throws RefusalError
 */
export async function expectSignedRules(
  client: pg.ClientBase,
  log: number,
  recorded: readonly RecordedRules[],
  head: TreeHead | undefined,
): Promise<void> {
  if (!head) return; // an empty log has no rules
  const { size, root } = parseCheckpoint(head.checkpoint);
  const tiles = storedTiles(client, log, head);
  for (const { sequence } of recorded) {
    if (!(await isSigned(sequence))) throw altered(sequence);
  }

  async function isSigned(sequence: number): Promise<boolean> {
    const [record] = (await readRecords(client, log, sequence, sequence + 1)).records;
    if (!record || sequence >= size) return false;
    try {
      const proof = await inclusionProof(sha256Into, sequence, size, tiles);
      return verifyInclusion(sha256Into, leafHash(sha256Into, record), sequence, size, proof, root);
    } catch (error) {
      if (error instanceof StoredTreeError) return false;
      throw error;
    }
  }
}

function altered(sequence: number): RefusalError {
  return new RefusalError(
    'log-altered',
    `The log was altered. Entry ${sequence}, which sets rules of what is recorded, is not the one that was signed.`,
    'Find out who can write to the audit database, and what else was altered: bemi verify. Restore it from the newest copy.',
  );
}
