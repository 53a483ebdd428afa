/** "PGCOPY\n\377\r\n\0", flags, length of the header's extension. */
const headerLength = 19;
const extensionLengthAt = 15;
const endOfData = -1;
const initialCapacity = 256 * 1024;

/**
 * Rows of a binary COPY … TO STDOUT, one at a time and without an object each: `advance` finds the next row in what has
 * arrived, `fill` adds what arrives next.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html "Binary Format"
 */
export class CopyRows {
  /** What has arrived; the row's fields are ranges of it until the next `advance` or `fill`. */
  bytes = Buffer.allocUnsafeSlow(initialCapacity);
  /** First byte of each field. */
  readonly starts: Int32Array;
  /** Behind the last byte of each field; -1 for NULL. */
  readonly ends: Int32Array;
  readonly #fieldCount: number;
  #at = 0;
  #end = 0;
  #isHeaderRead = false;

  constructor(fieldCount: number) {
    this.#fieldCount = fieldCount;
    this.starts = new Int32Array(fieldCount);
    this.ends = new Int32Array(fieldCount);
  }

  /**
   * Moves to the next row. False when it has not arrived whole.
   *
   * @throws Error where the stream is no binary COPY with that many fields.
   */
  advance(): boolean {
    if (!this.#isHeaderRead && !this.#readHeader()) return false;
    const { bytes, starts, ends } = this;
    const end = this.#end;
    let at = this.#at;
    if (end - at < 2) return false;
    const fieldCount = (bytes[at]! << 8) | bytes[at + 1]!;
    if (fieldCount === (endOfData & 0xffff)) return false;
    if (fieldCount !== this.#fieldCount) {
      throw new Error(`A row of ${this.#fieldCount} fields was asked for, and one of ${fieldCount} came`);
    }
    at += 2;
    for (let field = 0; field < fieldCount; field++) {
      if (end - at < 4) return false;
      const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      at += 4;
      starts[field] = at;
      if (length < 0) ends[field] = -1;
      else {
        at += length;
        if (at > end) return false;
        ends[field] = at;
      }
    }
    this.#at = at;
    return true;
  }

  /** Adds bytes of the stream. */
  fill(chunk: Uint8Array): void {
    const left = this.#end - this.#at;
    if (left + chunk.length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(left + chunk.length, this.bytes.length * 2));
      this.bytes.copy(grown, 0, this.#at, this.#end);
      this.bytes = grown;
    } else if (this.#at > 0) this.bytes.copyWithin(0, this.#at, this.#end);
    this.bytes.set(chunk, left);
    this.#at = 0;
    this.#end = left + chunk.length;
  }

  isNull(field: number): boolean {
    return this.ends[field]! < 0;
  }

  /** A 32-bit integer. */
  int32(field: number): number {
    return this.bytes.readInt32BE(this.starts[field]);
  }

  /** A 64-bit integer as a number; what isn't exact below 2^53 is refused. */
  int64(field: number): number {
    const at = this.starts[field]!;
    const value = this.bytes.readInt32BE(at) * 0x1_0000_0000 + this.bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(value)) throw new RangeError(`A number of the log is beyond 2^53: ${value}`);
    return value;
  }

  /** A 64-bit integer or timestamp. */
  bigint64(field: number): bigint {
    return this.bytes.readBigInt64BE(this.starts[field]);
  }

  /** An LSN. */
  biguint64(field: number): bigint {
    return this.bytes.readBigUInt64BE(this.starts[field]);
  }

  text(field: number): string {
    return this.bytes.toString('utf8', this.starts[field], this.ends[field]);
  }

  /** A copy of the field's bytes, which stays valid. */
  copy(field: number): Buffer {
    return Buffer.from(this.bytes.subarray(this.starts[field], this.ends[field]));
  }

  #readHeader(): boolean {
    if (this.#end < headerLength) return false;
    const length = headerLength + this.bytes.readInt32BE(extensionLengthAt);
    if (this.#end < length) return false;
    this.#at = length;
    this.#isHeaderRead = true;
    return true;
  }
}
