import { writeU64 } from '@bemi-db/proof/integer';

/** "PGCOPY\n\377\r\n\0", flags, length of the header's extension. */
const header = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
const trailerLength = 2;
const initialCapacity = 256 * 1024;

/**
 * Rows in PostgreSQL's binary COPY format, written in place: the owner reserves room, then writes fields one
 * after the other. Numbers are big-endian; each field is preceded by its length in bytes, -1 for NULL.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html "Binary Format"
 */
export class CopyBuffer {
  /** Where the first row begins. */
  static readonly headerLength = header.length;

  /** What was written stands in `bytes[0, length)`. The buffer is replaced when it grows: read it anew after `reserve`. */
  bytes: Buffer;
  length = header.length;
  rowCount = 0;

  constructor(capacity = initialCapacity) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(capacity, header.length + trailerLength));
    header.copy(this.bytes);
  }

  /** Makes room for that many more bytes. */
  reserve(byteCount: number): void {
    const needed = this.length + byteCount + trailerLength;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** Starts a row, with room for its fixed-size fields and `byteCount` more. */
  beginRow(fieldCount: number, byteCount: number): void {
    this.reserve(byteCount);
    const { bytes, length } = this;
    bytes[length] = fieldCount >>> 8;
    bytes[length + 1] = fieldCount;
    this.length = length + 2;
    this.rowCount++;
  }

  int16(value: number): void {
    this.bytes.writeInt32BE(2, this.length);
    this.bytes.writeInt16BE(value, this.length + 4);
    this.length += 6;
  }

  int32(value: number): void {
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = 0;
    bytes[at++] = 0;
    bytes[at++] = 0;
    bytes[at++] = 4;
    bytes[at++] = value >>> 24;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 8;
    bytes[at++] = value;
    this.length = at;
  }

  /** A 64-bit integer from a JavaScript number, exact up to 2^53. */
  int64(value: number): void {
    const { bytes } = this;
    let at = this.length;
    const high = Math.floor(value / 0x1_0000_0000);
    const low = value >>> 0;
    bytes[at++] = 0;
    bytes[at++] = 0;
    bytes[at++] = 0;
    bytes[at++] = 8;
    bytes[at++] = high >>> 24;
    bytes[at++] = high >>> 16;
    bytes[at++] = high >>> 8;
    bytes[at++] = high;
    bytes[at++] = low >>> 24;
    bytes[at++] = low >>> 16;
    bytes[at++] = low >>> 8;
    bytes[at++] = low;
    this.length = at;
  }

  /** A 64-bit integer, LSN or timestamp (microseconds since 2000-01-01). */
  bigint64(value: bigint): void {
    const { bytes } = this;
    const at = this.length;
    bytes[at] = 0;
    bytes[at + 1] = 0;
    bytes[at + 2] = 0;
    bytes[at + 3] = 8;
    writeU64(bytes, at + 4, value);
    this.length = at + 12;
  }

  null(): void {
    this.bytes.fill(0xff, this.length, this.length + 4);
    this.length += 4;
  }

  /** Whole rows, as they stand in another buffer. */
  append(rows: Uint8Array): void {
    this.reserve(rows.length);
    this.bytes.set(rows, this.length);
    this.length += rows.length;
  }

  /** A short constant, given as bytes. The caller has reserved room. */
  constant(value: Uint8Array): void {
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = 0;
    bytes[at++] = 0;
    bytes[at++] = value.length >>> 8;
    bytes[at++] = value.length;
    for (let i = 0; i < value.length; i++) bytes[at++] = value[i]!;
    this.length = at;
  }

  /** Bytes of any length; reserves room by itself. */
  blob(value: Uint8Array): void {
    this.reserve(4 + value.length);
    this.bytes.writeInt32BE(value.length, this.length);
    this.bytes.set(value, this.length + 4);
    this.length += 4 + value.length;
  }

  /** A text in UTF-8; reserves room by itself. */
  text(value: string): void {
    this.reserve(4 + value.length * 3);
    const written = this.bytes.write(value, this.length + 4, 'utf8');
    this.bytes.writeInt32BE(written, this.length);
    this.length += 4 + written;
  }

  /** Opens a field whose length is known only once its bytes are written. Returns what `endField` wants. */
  beginField(): number {
    this.reserve(4);
    const mark = this.length;
    this.length += 4;
    return mark;
  }

  endField(mark: number): void {
    const { bytes } = this;
    const length = this.length - mark - 4;
    bytes[mark] = length >>> 24;
    bytes[mark + 1] = length >>> 16;
    bytes[mark + 2] = length >>> 8;
    bytes[mark + 3] = length;
  }

  /** The whole COPY stream, with its trailer. */
  finished(): Buffer {
    this.bytes.writeInt16BE(-1, this.length);
    return this.bytes.subarray(0, this.length + trailerLength);
  }

  /** Takes the rows from `length` on away into a buffer of their own. */
  splitAt(length: number, rowCount: number): CopyBuffer {
    const tailLength = this.length - length;
    const tail = new CopyBuffer(Math.max(initialCapacity, header.length + tailLength + trailerLength));
    this.bytes.copy(tail.bytes, header.length, length, this.length);
    tail.length = header.length + tailLength;
    tail.rowCount = this.rowCount - rowCount;
    this.length = length;
    this.rowCount = rowCount;
    return tail;
  }

  /** Empties the buffer so that it can be filled again. */
  reset(): void {
    this.length = header.length;
    this.rowCount = 0;
  }

  /** Forgets everything from `length` on: a row that could not be finished. */
  truncateTo(length: number, rowCount: number): void {
    this.length = length;
    this.rowCount = rowCount;
  }
}
