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
 * Hashes entries into leaves (docs/spec/record.md), 32 bytes at the offset that is given first. The fields of a
 * commitment are taken from a row in the form of binary COPY, where they stand in the order that the commitment wants:
 * `row[start, end)`. Both the writer and whoever reads the log back use it: one way to the same bytes.
 */
export class LeafWriter {
  readonly #leaves: { readonly bytes: Uint8Array };
  /** The leaf prefix, then a record. */
  readonly #scratch = new Uint8Array(recordStart + MAX_RECORD_BYTES);

  /** @param leaves - where the leaf hashes go; `bytes` may be replaced between calls. */
  constructor(leaves: { readonly bytes: Uint8Array }) {
    this.#leaves = leaves;
    this.#scratch[0] = LEAF_PREFIX;
  }

  change(
    at: number,
    header: ChangeHeader,
    row: Uint8Array,
    start: number,
    end: number,
    withheld?: Withheld,
  ): void {
    header.quarantined = withheld !== undefined && isQuarantined(withheld);
    this.#commit(row, start, end, withheld, recordStart + CHANGE_COMMITMENT);
    this.#finish(at, writeChangeRecord(this.#scratch, recordStart, header));
  }

  context(
    at: number,
    header: ContextHeader,
    row: Uint8Array,
    start: number,
    end: number,
    withheld?: Withheld,
  ): void {
    header.quarantined = withheld !== undefined && isQuarantined(withheld);
    this.#commit(row, start, end, withheld, recordStart + CONTEXT_COMMITMENT);
    this.#finish(at, writeContextRecord(this.#scratch, recordStart, header));
  }

  /** A commit; `row[start, end)` are the fields of its actor, if it has one. */
  commit(at: number, header: CommitHeader, row?: Uint8Array, start = 0, end = 0, withheld?: Withheld): void {
    if (row) this.#commit(row, start, end, withheld, recordStart + COMMIT_COMMITMENT);
    this.#finish(at, writeCommitRecord(this.#scratch, recordStart, header));
  }

  event(
    at: number,
    header: EventHeader,
    row: Uint8Array,
    start: number,
    end: number,
    withheld?: Withheld,
  ): void {
    const recordEnd = writeEventRecord(this.#scratch, recordStart, header);
    this.#commit(row, start, end, withheld, recordEnd - HASH_BYTES);
    this.#finish(at, recordEnd);
  }

  #commit(row: Uint8Array, start: number, end: number, withheld: Withheld | undefined, at: number): void {
    if (!withheld) sha256Into(row, start, end, this.#scratch, at);
    else if (withheld.state === 'erased') this.#scratch.set(withheld.commitment, at);
    else {
      const { reason, bytesHash } = withheld;
      const list = Buffer.concat([row.subarray(start, end), encodeFields([reason, bytesHash])]);
      sha256Into(list, 0, list.length, this.#scratch, at);
    }
  }

  #finish(at: number, recordEnd: number): void {
    sha256Into(this.#scratch, 0, recordEnd, this.#leaves.bytes, at);
  }
}

function isQuarantined(withheld: Withheld): boolean {
  return withheld.state === 'quarantined' || withheld.isQuarantined;
}
