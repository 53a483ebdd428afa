import {
  type Checkpoint,
  parseCheckpoint,
  signCheckpoint,
  verifySignatures,
} from '@bemi-db/proof/checkpoint';
import { HASH_BYTES, sameBytes } from '@bemi-db/proof/hash';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import {
  ed25519PrivateKey,
  rawPublicKey,
  sha256Into,
  signerOf,
  verifyEd25519,
} from '@bemi-db/proof/node-crypto';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { treeHashAt } from '@bemi-db/proof/tile-reader';
import { TileTree } from '@bemi-db/proof/tile-tree';
import { verifierKey } from '@bemi-db/proof/verifier-key';
import { logFolder } from '../../src/publication/log-folder.ts';
import type { FullTiles, Offer } from '../../src/publication/offered-tree.ts';
import type { Records } from '../../src/publication/record-publication.ts';

export const origin = 'bemi/5f0c3a4e9b7d4c0f8a51d2c6e3b9a870/1';
export const folder = logFolder(origin);
const privateKey = ed25519PrivateKey(new Uint8Array(32).fill(1));
export const logKey = verifierKey(sha256Into, origin, rawPublicKey(privateKey));

/** A log as the worker and the audit database have it, with made-up leaves: other `leaves`, another log. */
export class GrowingLog {
  readonly #leaves: string;
  readonly #tree = new TileTree(sha256Into);
  readonly #tiles: Uint8Array[][] = [];

  constructor(leaves = 'honest') {
    this.#leaves = leaves;
  }

  /** Grows by so many entries, and gives what is offered then. */
  grow(entries: number, leaves = this.#leaves): Offer {
    const hashes = new Uint8Array(entries * HASH_BYTES);
    for (let i = 0; i < entries; i++) {
      const record = Buffer.from(`${leaves} ${this.#tree.size + i}`);
      this.stored.push(record);
      hashes.set(leafHash(sha256Into, record), i * HASH_BYTES);
    }
    for (const { level, index, hashes: tile } of this.#tree.append(hashes, entries)) {
      this.#tiles[level] ??= [];
      this.#tiles[level][index] = tile;
    }
    const { size, partialTiles } = this.#tree.state();
    const root = this.#tree.root();
    return {
      checkpoint: signCheckpoint({ origin, size, root }, logKey, signerOf(privateKey)),
      size,
      partialTiles,
    };
  }

  /** What the audit database answers. */
  readonly fullTiles: FullTiles = async (level, from, to) => (this.#tiles[level] ?? []).slice(from, to);

  /** The records as they are stored, `undefined` where one is gone; what retention dropped. */
  readonly stored: (Uint8Array | undefined)[] = [];
  droppedBefore = 0;

  readonly records: Records = async (from, to) => ({
    records: this.stored.slice(from, to),
    droppedBefore: this.droppedBefore,
  });

  tile(level: number, index: number): Uint8Array {
    return this.#tiles[level]![index]!;
  }
}

/** Reads a published log as an outsider: the checkpoint is signed, and the tiles beside it make its root. */
export async function readPublishedLog(
  read: (path: string) => Promise<Uint8Array | undefined>,
): Promise<Checkpoint> {
  const text = await read(`${folder}/checkpoint`);
  if (!text) throw new Error('There is no checkpoint');
  const checkpoint = parseCheckpoint(Buffer.from(text).toString('utf8'));
  const signatures = await verifySignatures(checkpoint.note, [logKey], verifyEd25519);
  if (!signatures.valid) throw new Error('The checkpoint is not signed');
  const leaves: Uint8Array[] = [];
  // Each tile of level 0 is there, and from the tiles of all levels follows the root.
  for (let index = 0; index * 256 < checkpoint.size; index++) {
    const width = Math.min(256, checkpoint.size - index * 256);
    leaves.push(await readTile(0, index, width));
  }
  const tree = new TileTree(sha256Into);
  for (const tile of leaves) tree.append(tile, tile.length / HASH_BYTES);
  if (!sameBytes(tree.root(), checkpoint.root)) throw new Error('The leaves make another root');
  const root = await treeHashAt(sha256Into, checkpoint.size, readTile);
  if (!sameBytes(root, checkpoint.root)) throw new Error('The tiles make another root');
  return checkpoint;

  async function readTile(level: number, index: number, width: number): Promise<Uint8Array> {
    const path = formatTilePath({ level, index, width });
    const tile = await read(`${folder}/${path}`);
    if (tile?.length !== width * HASH_BYTES) throw new Error(`There is no ${path}`);
    return tile;
  }
}
