import { HASH_BYTES, type HashInto, sameBytes } from './hash.ts';
import { nodeHash } from './merkle-tree.ts';
import { cachedTiles, rangeHash, type TileReader } from './tile-reader.ts';

/** The largest power of two smaller than `n`, for n ≥ 2. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/**
 * The proof that leaf `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1): hashes from the leaf's
 * sibling up to the root's child.
 *
 * @throws RangeError where the index isn't below the size
 */
export async function inclusionProof(
  hash: HashInto,
  index: number,
  size: number,
  reader: TileReader,
): Promise<Uint8Array[]> {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size))
    throw new RangeError(`A tree of size ${size} has no leaf ${index}.`);
  const tiles = cachedTiles(reader);
  const fromTop: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      fromTop.push(await rangeHash(hash, size, middle, end, tiles));
      end = middle;
    } else {
      fromTop.push(await rangeHash(hash, size, start, middle, tiles));
      start = middle;
    }
  }
  return fromTop.reverse();
}

/**
 * The root that an inclusion proof leads to (RFC 9162, section 2.1.3.2), or undefined where the proof hasn't the
 * length that index and size give it.
 */
export function rootOfInclusionProof(
  hash: HashInto,
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size))
    return undefined;
  if (leafHash.length !== HASH_BYTES || proof.some((node) => node.length !== HASH_BYTES)) return undefined;
  let first = index;
  let last = size - 1;
  let root = leafHash;
  for (const node of proof) {
    if (last === 0) return undefined;
    if (first % 2 === 1 || first === last) {
      root = nodeHash(hash, node, root);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(hash, root, node);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : undefined;
}

/** Whether the leaf is in the tree of this size and root, at this index. */
export function verifyInclusion(
  hash: HashInto,
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const found = rootOfInclusionProof(hash, leafHash, index, size, proof);
  return found !== undefined && sameBytes(found, root);
}
