import { HASH_BYTES } from '@bemi-db/proof/hash';

export const missing = 0;
export const change = 1;
export const context = 2;
export const commit = 3;
export const event = 4;

/** An event of the log, as stored. */
export interface StoredEvent {
  readonly sequence: number;
  readonly kind: string;
  /** Microseconds since 2000-01-01 UTC. */
  readonly at: bigint;
  readonly actor: string | undefined;
  /** JSON text. */
  readonly payload: string;
}

/**
 * The stored entries of a range of sequences: the leaf hash of each, and of its header what the rules of a whole log
 * (docs/spec/log.md) ask for. Columns instead of objects: a log has hundreds of millions of entries. Index 0 is the
 * entry with the sequence `from`.
 */
export class EntryChunk {
  readonly from: number;
  readonly count: number;
  /** Leaf hashes. */
  readonly leaves: { readonly bytes: Uint8Array };
  /** 0 where no entry is stored, else the kind of the record. */
  readonly kinds: Uint8Array;
  /** Of changes, contexts and commits. */
  readonly transactions: Float64Array;
  /** The context number of a change or context; a commit's number of contexts. */
  readonly contextNumbers: Float64Array;
  /** The relation of a change; a commit's number of changes. */
  readonly relations: Float64Array;
  /** Of commits. */
  readonly generations: Uint32Array;
  readonly coveredFromLsns: BigUint64Array;
  readonly endLsns: BigUint64Array;
  readonly recordedAt: BigInt64Array;
  readonly events: StoredEvent[] = [];
  /** Entries whose texts were erased. */
  readonly erased: number[] = [];
  /** Sequences that more than one row claims. */
  readonly duplicated: number[] = [];
  /** Stored rows, erased and duplicated ones included. */
  rowCount = 0;

  constructor(from: number, count: number) {
    this.from = from;
    this.count = count;
    this.leaves = { bytes: new Uint8Array(count * HASH_BYTES) };
    this.kinds = new Uint8Array(count);
    this.transactions = new Float64Array(count);
    this.contextNumbers = new Float64Array(count);
    this.relations = new Float64Array(count);
    this.generations = new Uint32Array(count);
    this.coveredFromLsns = new BigUint64Array(count);
    this.endLsns = new BigUint64Array(count);
    this.recordedAt = new BigInt64Array(count);
  }

  /** Takes the place of an entry. A sequence that is taken already is noted, and the first row stays. */
  claim(sequence: number, kind: number): number | undefined {
    const index = sequence - this.from;
    this.rowCount++;
    if (this.kinds[index] !== missing) {
      this.duplicated.push(sequence);
      return undefined;
    }
    this.kinds[index] = kind;
    return index;
  }
}
