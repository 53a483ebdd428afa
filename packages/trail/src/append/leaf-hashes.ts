import { HASH_BYTES } from '@bemi-db/proof/hash';

const initialCount = 4096;

/** The leaf hashes of entries that wait to be appended, 32 bytes each, in order of their sequences. */
export class LeafHashes {
  /** The hashes stand in `bytes[0, 32 · count)`. Replaced when it grows. */
  bytes = new Uint8Array(initialCount * HASH_BYTES);
  count = 0;

  /** Makes room for one more, and returns the offset at which its 32 bytes are to be written. */
  add(): number {
    const at = this.count * HASH_BYTES;
    if (at === this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.count++;
    return at;
  }

  /** Forgets the first `count`; the others move to the front. */
  drop(count: number): void {
    this.bytes.copyWithin(0, count * HASH_BYTES, this.count * HASH_BYTES);
    this.count -= count;
  }
}
