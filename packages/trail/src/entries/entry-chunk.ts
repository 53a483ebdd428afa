/** A record beside the one that has its place: two rows claim one sequence. */
export interface DuplicateRecord {
  readonly sequence: number;
  readonly record: Uint8Array;
}

const initialBytesPerEntry = 96;
const leastEntries = 16;

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
  /** Bytes of `records` that are taken: where the next record goes. */
  length = 0;

  constructor(from: number, count: number) {
    this.from = from;
    this.count = count;
    this.records = new Uint8Array(Math.max(count, leastEntries) * initialBytesPerEntry);
    this.starts = new Uint32Array(count);
    this.ends = new Uint32Array(count);
  }

  /** Makes room for a record at `length`. False where the place of its sequence is taken. */
  reserve(sequence: number, byteCount: number): boolean {
    if (this.ends[sequence - this.from] !== 0) return false;
    if (this.length + byteCount > this.records.length) {
      const grown = new Uint8Array(this.records.length * 2);
      grown.set(this.records);
      this.records = grown;
    }
    return true;
  }

  /** A record was written from `length` to `end`. */
  added(sequence: number, end: number): void {
    const index = sequence - this.from;
    this.starts[index] = this.length;
    this.ends[index] = end;
    this.length = end;
  }
}
