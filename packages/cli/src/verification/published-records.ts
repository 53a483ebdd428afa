import type { BadEntry } from '@bemi-db/proof/bad-entry';
import { decodeEntryBundle } from '@bemi-db/proof/entry-bundle';
import type { Finding } from '@bemi-db/proof/finding';
import { copyHash, HASH_BYTES, sameHash } from '@bemi-db/proof/hash';
import { readU64Number } from '@bemi-db/proof/integer';
import type { TileOutcome } from '@bemi-db/proof/leaf-verifier';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { MAX_RECORD_BYTES } from '@bemi-db/proof/record';
import { RecordRules } from '@bemi-db/proof/record-rules';
import { TILE_WIDTH } from '@bemi-db/proof/tile-tree';

const leastRecordBytes = 10;

/** The records that were published beside a log's tiles: their hashes, and what their headers say. */
export class PublishedRecords {
  readonly rules = new RecordRules();
  /** Bundles that are there and can't be read. */
  readonly malformed: number[] = [];
  /** Bundles that are there. */
  present = 0;
  /** Entries whose record has the hash that the log has. */
  entries = 0;

  /**
   * The next bundle against its tile. Where one of them is absent, the other stands for both.
   *
   * @param width - entries that they hold
   */
  compare(index: number, width: number, tile?: Uint8Array, bundle?: Uint8Array): TileOutcome {
    const sequence = index * TILE_WIDTH;
    const asStored = { index, width, stored: tile, agree: true, findings: [], unexplained: [] };
    if (bundle !== undefined) this.present++;
    const records = bundle && recordsOf(bundle, width);
    if (bundle !== undefined && records === undefined) this.malformed.push(index);
    if (records === undefined) {
      if (bundle === undefined) this.rules.missing(sequence + width);
      else for (let i = 0; i < width; i++) this.rules.unreadable();
      return { ...asStored, computed: tile };
    }
    const computed = new Uint8Array(TILE_WIDTH * HASH_BYTES);
    const findings: Finding[] = [];
    const unexplained: BadEntry[] = [];
    for (const [position, record] of records.entries()) {
      const at = position * HASH_BYTES;
      const leaf = Uint8Array.of(0, ...record);
      sha256Into(leaf, 0, leaf.length, computed, at);
      const isLogged = tile === undefined || sameHash(computed, at, tile, at);
      if (isLogged && hasPlace(record, sequence + position)) {
        this.entries++;
        this.rules.entry(record, 0, record.length);
        continue;
      }
      this.rules.unreadable();
      findings.push({ code: 'altered', sequence: sequence + position, count: 1 });
      if (tile === undefined) continue;
      const logged = new Uint8Array(HASH_BYTES);
      copyHash(tile, at, logged, 0);
      // Of one that is too short to have a sequence nobody can say where it belongs.
      if (record.length >= leastRecordBytes)
        unexplained.push({ sequence: sequence + position, leaf, logged });
    }
    return { ...asStored, computed, agree: findings.length === 0, findings, unexplained };
  }
}

function recordsOf(bundle: Uint8Array, width: number): Uint8Array[] | undefined {
  try {
    const records = decodeEntryBundle(bundle);
    return records.length === width ? records : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether this is the record of the entry with this sequence, as far as it says so itself. */
function hasPlace(record: Uint8Array, sequence: number): boolean {
  const isRecord = record.length >= leastRecordBytes && record.length <= MAX_RECORD_BYTES;
  return isRecord && readU64Number(record, 2) === sequence;
}
