import type { KeyObject } from 'node:crypto';
import { signCheckpoint } from '@bemi-db/proof/checkpoint';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import { rawPublicKey, sha256Into, signerOf } from '@bemi-db/proof/node-crypto';
import { formatOrigin } from '@bemi-db/proof/origin';
import { TileTree } from '@bemi-db/proof/tile-tree';
import { verifierKey } from '@bemi-db/proof/verifier-key';
import { readEntries } from '@bemi-db/trail/entries/read-entries';
import type pg from 'pg';

/**
 * What somebody does who controls the audit database and knows this project's code: after entries were changed, builds the
 * tree over them anew, with tiles, frontier and a checkpoint signed by the key that he has.
 */
export async function forgeTree(sql: pg.ClientBase, key: KeyObject): Promise<void> {
  const { rows } = await sql.query<{ size: string; log_id: string }>(
    'SELECT next_sequence AS size, log_id FROM bemi.logs WHERE log = 0',
  );
  const size = Number(rows[0]!.size);
  const chunk = await readEntries(sql, 0, 0, size);
  const tree = new TileTree(sha256Into);
  await sql.query('DELETE FROM bemi.tiles');
  await sql.query('DELETE FROM bemi.checkpoints');
  for (let index = 0; index < size; index++) {
    const record = chunk.records.subarray(chunk.starts[index], chunk.ends[index]);
    for (const tile of tree.append(leafHash(sha256Into, record), 1)) {
      await sql.query('INSERT INTO bemi.tiles (log, level, index, hashes) VALUES (0, $1, $2, $3)', [
        tile.level,
        tile.index,
        Buffer.from(tile.hashes),
      ]);
    }
  }
  const origin = formatOrigin({ logId: rows[0]!.log_id, generation: 1 });
  const checkpoint = signCheckpoint(
    { origin, size, root: tree.root() },
    verifierKey(sha256Into, origin, rawPublicKey(key)),
    signerOf(key),
  );
  await sql.query('UPDATE bemi.frontier SET size = $1, hashes = $2, checkpoint = $3', [
    size,
    Buffer.from(tree.frontier()),
    checkpoint,
  ]);
}
