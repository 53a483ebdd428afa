import { copyHash, HASH_BYTES, type HashInto } from './hash.ts';

// RFC 6962, section 2.1 (Merkle Hash Trees): MTH({}) = SHA-256(), MTH({d0}) = SHA-256(0x00 || d0),
// MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two smaller than n.
export const LEAF_PREFIX = 0x00;
export const NODE_PREFIX = 0x01;

const NODE_BYTES = 1 + 2 * HASH_BYTES;

/** The hash of a leaf. On a hot path, keep a byte free before the record and hash both at once instead. */
export function leafHash(hash: HashInto, record: Uint8Array): Uint8Array {
  const prefixed = new Uint8Array(1 + record.length);
  prefixed[0] = LEAF_PREFIX;
  prefixed.set(record, 1);
  const digest = new Uint8Array(HASH_BYTES);
  hash(prefixed, 0, prefixed.length, digest, 0);
  return digest;
}

/** The hash of an inner node from its two children. */
export function nodeHash(hash: HashInto, left: Uint8Array, right: Uint8Array): Uint8Array {
  const node = new Uint8Array(NODE_BYTES);
  node[0] = NODE_PREFIX;
  copyHash(left, 0, node, 1);
  copyHash(right, 0, node, 1 + HASH_BYTES);
  const digest = new Uint8Array(HASH_BYTES);
  hash(node, 0, NODE_BYTES, digest, 0);
  return digest;
}

/** The root of the empty tree: the SHA-256 of nothing. */
export function emptyRoot(hash: HashInto): Uint8Array {
  const digest = new Uint8Array(HASH_BYTES);
  hash(digest, 0, 0, digest, 0);
  return digest;
}

/**
 * Replaces the two hashes that stand at `at` and behind it by their node's, at `at`, without copying them: the byte
 * before them (`at` is at least 1) lends its place to the prefix.
 *
 * @param node - a view on that byte and the two hashes, from who keeps one because he merges there often
 */
export function mergeInPlace(
  hash: HashInto,
  hashes: Uint8Array,
  at: number,
  node: Uint8Array = nodeView(hashes, at),
): void {
  const lent = hashes[at - 1]!;
  hashes[at - 1] = NODE_PREFIX;
  hash(node, 0, NODE_BYTES, hashes, at);
  hashes[at - 1] = lent;
}

/** What {@link mergeInPlace} hashes: the byte before two hashes, and them. */
export function nodeView(hashes: Uint8Array, at: number): Uint8Array {
  return hashes.subarray(at - 1, at - 1 + NODE_BYTES);
}

/**
 * The hashes of the perfect subtrees of `width` neighbouring hashes, largest first, written to `target` from `at`
 *
 * @returns how many they are: the number of ones in the binary `width`
 */
export function foldToFrontier(
  hash: HashInto,
  hashes: Uint8Array,
  width: number,
  target: Uint8Array,
  at: number,
): number {
  let count = 0;
  for (let i = 0; i < width; i++) {
    copyHash(hashes, i * HASH_BYTES, target, at + count * HASH_BYTES);
    count++;
    for (let ones = i; (ones & 1) === 1; ones >>= 1) {
      count--;
      mergeInPlace(hash, target, at + (count - 1) * HASH_BYTES);
    }
  }
  return count;
}

/**
 * The root of the tree over `width` neighbouring hashes (of one level), 1 at least. For 256 it is the hash that
 * stands for a full tile in the level above.
 */
export function foldRoot(hash: HashInto, hashes: Uint8Array, width: number): Uint8Array {
  const stack = new Uint8Array(1 + 64 * HASH_BYTES);
  const count = foldToFrontier(hash, hashes, width, stack, 1);
  foldFrontierInPlace(hash, stack, count);
  return stack.slice(1, 1 + HASH_BYTES);
}

/** Folds `count` hashes that stand in `stack` from 1 on, largest subtree first, into the first one. */
export function foldFrontierInPlace(hash: HashInto, stack: Uint8Array, count: number): void {
  for (let i = count - 1; i >= 1; i--) mergeInPlace(hash, stack, 1 + (i - 1) * HASH_BYTES);
}
