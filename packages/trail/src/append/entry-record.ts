import { encodeFields } from '@bemi-db/proof/commitment';
import { HASH_BYTES } from '@bemi-db/proof/hash';
import { LEAF_PREFIX } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import {
  CHANGE_COMMITMENT,
  type ChangeHeader,
  COMMIT_COMMITMENT,
  CONTEXT_COMMITMENT,
  type CommitHeader,
  type ContextHeader,
  type EventHeader,
  MAX_RECORD_BYTES,
} from '@bemi-db/proof/record';
import {
  writeChangeRecord,
  writeCommitRecord,
  writeContextRecord,
  writeEventRecord,
} from '@bemi-db/proof/record-writer';

/** What changes the commitment of an entry: texts that stand in quarantine, or were erased. */
export type Withheld =
  | { readonly state: 'quarantined'; readonly reason: string; readonly bytesHash: Uint8Array }
  | { readonly state: 'erased'; readonly isQuarantined: boolean; readonly commitment: Uint8Array };

const recordStart = 1;

/**
 * The record of an entry (docs/spec/record.md), one after the other in the same place. The fields of a commitment are
 * taken from a row in the form of binary COPY, where they stand in the order that the commitment wants: `row[start, end)`.
 * The writer and whoever reads the log back use it alike: one way to the same bytes.
 */
export class EntryRecord {
  /** The prefix of a leaf, then the record: `bytes[1, end)`. */
  readonly bytes = new Uint8Array(recordStart + MAX_RECORD_BYTES);
  end = recordStart;
  /** Views on the leaf, by its length. */
  readonly #leaves: Uint8Array[] = [];

  constructor() {
    this.bytes[0] = LEAF_PREFIX;
  }

  change(header: ChangeHeader, row: Uint8Array, start: number, end: number, withheld?: Withheld): void {
    header.quarantined = withheld !== undefined && isQuarantined(withheld);
    this.#commit(row, start, end, withheld, recordStart + CHANGE_COMMITMENT);
    this.end = writeChangeRecord(this.bytes, recordStart, header);
  }

  context(header: ContextHeader, row: Uint8Array, start: number, end: number, withheld?: Withheld): void {
    header.quarantined = withheld !== undefined && isQuarantined(withheld);
    this.#commit(row, start, end, withheld, recordStart + CONTEXT_COMMITMENT);
    this.end = writeContextRecord(this.bytes, recordStart, header);
  }

  /** A commit; `row[start, end)` are the fields of its actor, if it has one. */
  commit(header: CommitHeader, row?: Uint8Array, start = 0, end = 0, withheld?: Withheld): void {
    if (row) this.#commit(row, start, end, withheld, recordStart + COMMIT_COMMITMENT);
    this.end = writeCommitRecord(this.bytes, recordStart, header);
  }

  event(header: EventHeader, row: Uint8Array, start: number, end: number, withheld?: Withheld): void {
    this.end = writeEventRecord(this.bytes, recordStart, header);
    this.#commit(row, start, end, withheld, this.end - HASH_BYTES);
  }

  /** Hashes the record as a leaf: 32 bytes to `target` at `at`. */
  hashLeaf(target: Uint8Array, at: number): void {
    this.#leaves[this.end] ??= this.bytes.subarray(0, this.end);
    sha256Into(this.#leaves[this.end]!, 0, this.end, target, at);
  }

  #commit(row: Uint8Array, start: number, end: number, withheld: Withheld | undefined, at: number): void {
    if (!withheld) sha256Into(row, start, end, this.bytes, at);
    else if (withheld.state === 'erased') this.bytes.set(withheld.commitment, at);
    else {
      const { reason, bytesHash } = withheld;
      const list = Buffer.concat([row.subarray(start, end), encodeFields([reason, bytesHash])]);
      sha256Into(list, 0, list.length, this.bytes, at);
    }
  }
}

function isQuarantined(withheld: Withheld): boolean {
  return withheld.state === 'quarantined' || withheld.isQuarantined;
}
