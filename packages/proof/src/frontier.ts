import { HASH_BYTES, type HashInto } from './hash.ts';
import { emptyRoot, foldFrontierInPlace } from './merkle-tree.ts';

/** How many hashes the frontier of a tree of this size has: the ones of its binary digits. */
export function frontierCount(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/**
 * The root of a tree from its frontier: the roots of the perfect subtrees that the binary digits of its size name,
 * largest first (docs/spec/log.md, Tree).
 *
 * @param frontier - 32 bytes for each one in the binary `size`
 * @throws RangeError where the frontier's length isn't that of the size
 */
export function rootOfFrontier(hash: HashInto, size: number, frontier: Uint8Array): Uint8Array {
  const count = frontierCount(size);
  if (frontier.length !== count * HASH_BYTES)
    throw new RangeError(
      `The frontier of a tree of size ${size} has ${count * HASH_BYTES} bytes, got ${frontier.length}.`,
    );
  if (count === 0) return emptyRoot(hash);
  const stack = new Uint8Array(1 + frontier.length);
  stack.set(frontier, 1);
  foldFrontierInPlace(hash, stack, count);
  return stack.slice(1, 1 + HASH_BYTES);
}
