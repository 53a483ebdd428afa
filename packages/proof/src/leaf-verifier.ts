import { type BadEntry, classifyBadEntries } from './bad-entry.ts';
import type { Finding } from './finding.ts';
import { copyHash, HASH_BYTES, type HashInto, sameHash } from './hash.ts';
import { readU64Number } from './integer.ts';
import { LEAF_PREFIX } from './merkle-tree.ts';
import { TILE_BYTES, TILE_WIDTH } from './tile-tree.ts';

/** What was found of the entries of one tile of level 0. */
export interface TileOutcome {
  readonly index: number;
  /** 256, or fewer in the log's last one. */
  readonly width: number;
  /** Leaf hashes of the stored entries. Where one is missing, that of the stored tile, or undefined without one. */
  readonly computed: Uint8Array | undefined;
  /** The stored tile: of full ones only. */
  readonly stored: Uint8Array | undefined;
  /** Whether both are the same; true without a stored tile. */
  readonly agree: boolean;
  /** What is wrong with the entries, if the stored tile is right. */
  readonly findings: readonly Finding[];
  /** The entries that no position of the tile explains. */
  readonly unexplained: readonly BadEntry[];
}

/** {@link LeafVerifier} behind a whole tile, as plain data. */
export interface LeafVerifierState {
  readonly next: number;
  /** Stored tiles whose entries are still to come. */
  readonly stored: readonly (readonly [number, Uint8Array])[];
  readonly findings: readonly Finding[];
  readonly shift: number;
  readonly tries: number;
}

const SLOT_BYTES = 512;

/**
 * Verifies the entries of a range that begins at a tile's first leaf, against the stored tiles of level 0. Ranges
 * are independent: they can be verified in parallel, and their outcomes be given to a RootVerifier in order.
 *
 * Give a tile by {@link tile} before the last of its entries, entries in ascending order of their sequences.
 * Nothing is allocated for an entry: its record is copied to a slot, so that it can be looked at again if the tile
 * turns out to be another.
 */
export class LeafVerifier {
  readonly #hash: HashInto;
  readonly #onTile: (outcome: TileOutcome) => void;
  readonly #stored: Map<number, Uint8Array>;
  readonly #slots = new Uint8Array(TILE_WIDTH * SLOT_BYTES);
  readonly #ends = new Uint16Array(TILE_WIDTH);
  /** Views on leaves, by the record's length and position: to make one takes a third as long as to hash it. */
  readonly #views: Uint8Array[][] = [];
  #leaves = new Uint8Array(TILE_BYTES);
  #next: number;
  #start: number;
  #holes = 0;
  #findings: Finding[] = [];
  /** By how much the entries were shifted, once that was seen: what is found elsewhere by it is no news. */
  #shift = 0;
  readonly #budget = { tries: 1_000_000 };

  /**
   * @param from - sequence of the first entry, a multiple of 256; or what was saved of another, which this one continues
   */
  constructor(hash: HashInto, from: number | LeafVerifierState, onTile: (outcome: TileOutcome) => void) {
    const start = typeof from === 'number' ? from : from.next;
    if (start % TILE_WIDTH !== 0) throw new RangeError(`A range begins at a multiple of 256, got ${start}.`);
    this.#hash = hash;
    this.#onTile = onTile;
    this.#next = start;
    this.#start = start;
    this.#stored = new Map(typeof from === 'number' ? [] : from.stored);
    if (typeof from === 'number') return;
    this.#findings = [...from.findings];
    this.#shift = from.shift;
    this.#budget.tries = from.tries;
  }

  /** @throws RangeError within a tile: its records are not saved */
  save(): LeafVerifierState {
    if (this.#next !== this.#start)
      throw new RangeError(`What is saved ends with a tile; the next entry is ${this.#next}.`);
    return {
      next: this.#next,
      stored: [...this.#stored],
      findings: this.#findings,
      shift: this.#shift,
      tries: this.#budget.tries,
    };
  }

  /** The sequence that is expected next. */
  get next(): number {
    return this.#next;
  }

  /** The stored full tile `index` of level 0. */
  tile(index: number, hashes: Uint8Array): void {
    if (hashes.length === TILE_BYTES) this.#stored.set(index, hashes.slice());
  }

  /**
   * The record bytes[start, end) of the next entry that is stored.
   *
   * @returns its sequence, or -1 for one that is not above the last one's: it has no place
   */
  entry(bytes: Uint8Array, start: number, end: number): number {
    const sequence = readU64Number(bytes, start + 2);
    if (sequence !== this.#next) {
      if (!(sequence > this.#next)) {
        this.#findings.push({ code: 'duplicated', sequence });
        return -1;
      }
      this.missing(sequence);
    }
    const position = sequence - this.#start;
    const slot = position * SLOT_BYTES;
    const length = end - start;
    if (length >= SLOT_BYTES)
      throw new RangeError(`A record is never over ${SLOT_BYTES} bytes, got ${length}.`);
    this.#slots[slot] = LEAF_PREFIX;
    for (let i = 0; i < length; i++) this.#slots[slot + 1 + i] = bytes[start + i]!;
    this.#ends[position] = 1 + length;
    const views = this.#views[length] ?? this.#addViews(length);
    views[position] ??= this.#slots.subarray(slot, slot + 1 + length);
    this.#hash(views[position], 0, 1 + length, this.#leaves, position * HASH_BYTES);
    this.#next = sequence + 1;
    if (position === TILE_WIDTH - 1) this.#close(TILE_WIDTH);
    return sequence;
  }

  #addViews(length: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    this.#views[length] = views;
    return views;
  }

  /** Says that entries up to `until` are missing. `entry` does so by itself. */
  missing(until: number): void {
    while (this.#next < until) {
      const end = Math.min(until, this.#start + TILE_WIDTH);
      this.#holes += end - this.#next;
      this.#ends.fill(0, this.#next - this.#start, end - this.#start);
      this.#next = end;
      if (end === this.#start + TILE_WIDTH) this.#close(TILE_WIDTH);
    }
  }

  /** Hands out the last, partial tile. Returns the indexes of stored tiles beyond the last entry. */
  finish(): readonly number[] {
    if (this.#next > this.#start) this.#close(this.#next - this.#start);
    else if (this.#findings.length > 0) this.#close(0);
    return [...this.#stored.keys()];
  }

  #close(width: number): void {
    const index = this.#start / TILE_WIDTH;
    const stored = width === TILE_WIDTH ? this.#stored.get(index) : undefined;
    if (stored !== undefined) this.#stored.delete(index);
    let computed: Uint8Array | undefined = this.#leaves;
    if (this.#holes > 0) computed = stored === undefined ? undefined : this.#fillHoles(stored);
    const bad = computed !== undefined && stored !== undefined ? this.#badPositions(computed, stored) : [];
    const found = this.#findings;
    let unexplained: readonly BadEntry[] = [];
    if (bad.length > 0 && stored !== undefined) {
      const record = (position: number) =>
        this.#slots.slice(position * SLOT_BYTES, position * SLOT_BYTES + this.#ends[position]!);
      const result = classifyBadEntries(
        this.#hash,
        this.#start,
        stored,
        bad,
        record,
        this.#shift,
        this.#budget,
      );
      found.push(...result.findings);
      unexplained = result.unexplained;
      this.#shift = result.shift;
    }
    this.#onTile({ index, width, computed, stored, agree: bad.length === 0, findings: found, unexplained });
    this.#leaves = new Uint8Array(TILE_BYTES);
    this.#findings = [];
    this.#holes = 0;
    this.#start += TILE_WIDTH;
  }

  #fillHoles(stored: Uint8Array): Uint8Array {
    for (let position = 0; position < TILE_WIDTH; position++)
      if (this.#ends[position] === 0)
        copyHash(stored, position * HASH_BYTES, this.#leaves, position * HASH_BYTES);
    return this.#leaves;
  }

  #badPositions(computed: Uint8Array, stored: Uint8Array): number[] {
    const bad: number[] = [];
    for (let position = 0; position < TILE_WIDTH; position++)
      if (!sameHash(computed, position * HASH_BYTES, stored, position * HASH_BYTES)) bad.push(position);
    return bad;
  }
}
