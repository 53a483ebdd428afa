import { randomFillSync } from 'node:crypto';

export const saltLength = 16;
const poolSize = saltLength * 4096;

/**
 * Random bytes for the commitment of each entry, so that a payload can't be guessed from its hash. Drawn in
 * pools: one call of the system's generator serves 4,096 entries.
 */
export class SaltPool {
  readonly bytes = Buffer.allocUnsafeSlow(poolSize);
  #offset = poolSize;

  /** Offset in `bytes` of the next salt; its bytes are valid until the next call. */
  next(): number {
    if (this.#offset === poolSize) {
      randomFillSync(this.bytes);
      this.#offset = 0;
    }
    const offset = this.#offset;
    this.#offset += saltLength;
    return offset;
  }

  take(): Buffer {
    const offset = this.next();
    return Buffer.from(this.bytes.subarray(offset, offset + saltLength));
  }
}
