import { HASH_BYTES, type HashInto, sameBytes } from './hash.ts';
import { splitPoint } from './inclusion-proof.ts';
import { emptyRoot, nodeHash } from './merkle-tree.ts';
import { cachedTiles, rangeHash, type TileReader } from './tile-reader.ts';

/**
 * The proof that the tree of `newSize` leaves begins with that of `oldSize` (RFC 6962, section 2.1.2). Empty where
 * the sizes are the same, and from size 0.
 *
 * @throws RangeError where the old size is beyond the new one
 */
export async function consistencyProof(
  hash: HashInto,
  oldSize: number,
  newSize: number,
  reader: TileReader,
): Promise<Uint8Array[]> {
  if (!(Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize >= 0 && oldSize <= newSize))
    throw new RangeError(`No tree of size ${newSize} begins with one of size ${oldSize}.`);
  if (oldSize === 0 || oldSize === newSize) return [];
  const tiles = cachedTiles(reader);
  const fromTop: Uint8Array[] = [];
  let start = 0;
  let end = newSize;
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      fromTop.push(await rangeHash(hash, newSize, middle, end, tiles));
      end = middle;
    } else {
      fromTop.push(await rangeHash(hash, newSize, start, middle, tiles));
      start = middle;
    }
  }
  // SUBPROOF's flag: the old tree's own root is known to whoever verifies.
  if (start !== 0) fromTop.push(await rangeHash(hash, newSize, start, end, tiles));
  return fromTop.reverse();
}

/** Whether the tree of the old size and root is the beginning of the new one (RFC 9162, section 2.1.4.2). */
export function verifyConsistency(
  hash: HashInto,
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): boolean {
  if (!(Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize >= 0 && oldSize <= newSize))
    return false;
  if (proof.some((node) => node.length !== HASH_BYTES)) return false;
  if (oldSize === newSize) return proof.length === 0 && sameBytes(oldRoot, newRoot);
  if (oldSize === 0) return proof.length === 0 && sameBytes(oldRoot, emptyRoot(hash));

  let first = oldSize - 1;
  let last = newSize - 1;
  while (first % 2 === 1) {
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  // Where the old size is a power of two, its root is the first node, and the proof leaves it out.
  const nodes = first === 0 ? [oldRoot, ...proof] : proof;
  const seed = nodes[0];
  if (seed === undefined) return false;
  let oldFound = seed;
  let newFound = seed;
  for (const node of nodes.slice(1)) {
    if (last === 0) return false;
    if (first % 2 === 1 || first === last) {
      oldFound = nodeHash(hash, node, oldFound);
      newFound = nodeHash(hash, node, newFound);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      newFound = nodeHash(hash, newFound, node);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && sameBytes(oldFound, oldRoot) && sameBytes(newFound, newRoot);
}
