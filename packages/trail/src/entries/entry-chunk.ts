/** A record beside the one that has its place: two rows claim one sequence. */
export interface DuplicateRecord {
  readonly sequence: number;
  readonly record: Uint8Array;
}

const initialBytesPerEntry = 96;

/**
 * The records (docs/spec/record.md) of the stored entries in a range of sequences. Rows arrive kind by kind, in no order;
 * here each has its place. Columns instead of objects: a log has hundreds of millions of entries. Index 0 is the entry
 * with the sequence `from`.
 */
export class EntryChunk {
  readonly from: number;
  readonly count: number;
  /** The record of an entry is `records[starts[index], ends[index])`; one that is missing has no end. */
  records: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** JSON texts of the events; null where the text is gone. */
  readonly payloads = new Map<number, string | null>();
  /** Indexes of the entries whose texts were erased. */
  readonly erased = new Set<number>();
  readonly duplicates: DuplicateRecord[] = [];
  #length = 0;

  constructor(from: number, count: number) {
    this.from = from;
    this.count = count;
    this.records = new Uint8Array(Math.max(count, 16) * initialBytesPerEntry);
    this.starts = new Uint32Array(count);
    this.ends = new Uint32Array(count);
  }

  /** Puts the record bytes[start, end) in the place of its sequence. */
  put(sequence: number, bytes: Uint8Array, start: number, end: number): void {
    const index = sequence - this.from;
    if (this.ends[index] !== 0) {
      this.duplicates.push({ sequence, record: bytes.slice(start, end) });
      return;
    }
    const length = end - start;
    if (this.#length + length > this.records.length) {
      const grown = new Uint8Array(this.records.length * 2);
      grown.set(this.records);
      this.records = grown;
    }
    const at = this.#length;
    for (let i = 0; i < length; i++) this.records[at + i] = bytes[start + i]!;
    this.starts[index] = at;
    this.#length = at + length;
    this.ends[index] = this.#length;
  }
}
