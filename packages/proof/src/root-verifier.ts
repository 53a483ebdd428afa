import type { BadEntry } from './bad-entry.ts';
import { movedBetweenTiles } from './bad-entry.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Finding } from './finding.ts';
import { type HashInto, sameBytes } from './hash.ts';
import type { TileOutcome } from './leaf-verifier.ts';
import { type FullTile, TILE_WIDTH, TileTree, type TileTreeState } from './tile-tree.ts';

/** A checkpoint that is compared with the log's root at its size. */
export interface ExpectedRoot {
  readonly checkpoint: Checkpoint;
  /** Whether it was kept outside of the audit database. */
  readonly outside: boolean;
}

/** Whether a checkpoint's root is the log's: `unknown` behind entries that are missing without a stored tile. */
export interface RootOutcome extends ExpectedRoot {
  readonly root: 'same' | 'other' | 'unknown';
}

interface Undecided {
  readonly entries: Finding[];
  readonly tiles: Finding[];
  readonly unexplained: BadEntry[];
}

interface UpperTile {
  readonly stored?: Uint8Array;
  readonly computed?: Uint8Array;
}

/** {@link RootVerifier} between two tiles, as plain data. Roots that it still expects are not in it. */
export interface RootVerifierState {
  readonly size: number;
  readonly findings: readonly Finding[];
  readonly byTiles?: TileTreeState | undefined;
  readonly byEntries?: TileTreeState | undefined;
  readonly undecided: Undecided;
  readonly unexplained: readonly BadEntry[];
  readonly upper: readonly (readonly [string, UpperTile])[];
}

const MAX_UNEXPLAINED = 512;

/**
 * The tree above the leaves: it grows by the outcomes of tiles, in order, and meets checkpoints on its way.
 *
 * Where entries and their stored tile differ, one of them was altered. The tree then grows both ways, and the next
 * checkpoint tells: if its root is that over the stored tiles, the entries were altered; if it is that over the
 * entries, the tiles were.
 */
export class RootVerifier {
  readonly findings: Finding[];
  readonly #hash: HashInto;
  readonly #onRoot: (outcome: RootOutcome) => void;
  #byTiles: TileTree | undefined;
  #byEntries: TileTree | undefined;
  #undecided: Undecided;
  #unexplained: BadEntry[];
  readonly #expected: ExpectedRoot[] = [];
  #size: number;
  readonly #upper: Map<string, UpperTile>;

  /** @param saved - of another that was given the tiles up to here */
  constructor(
    hash: HashInto,
    onRoot: (outcome: RootOutcome) => void,
    saved: RootVerifierState = emptyState(),
  ) {
    const tree = (state: TileTreeState | undefined) => state && new TileTree(hash, state);
    this.#hash = hash;
    this.#onRoot = onRoot;
    this.findings = [...saved.findings];
    this.#byTiles = tree(saved.byTiles);
    this.#byEntries = tree(saved.byEntries);
    this.#undecided = saved.undecided;
    this.#unexplained = [...saved.unexplained];
    this.#size = saved.size;
    this.#upper = new Map(saved.upper);
  }

  save(): RootVerifierState {
    return {
      size: this.#size,
      findings: this.findings,
      byTiles: this.#byTiles?.state(),
      byEntries: this.#byEntries?.state(),
      undecided: this.#undecided,
      unexplained: this.#unexplained,
      upper: [...this.#upper],
    };
  }

  /** How many leaves the tree has. */
  get size(): number {
    return this.#size;
  }

  /**
   * Expects a root. To be called before the tree has grown beyond its size.
   *
   * @throws RangeError where it has
   */
  expect(expected: ExpectedRoot): void {
    const { size } = expected.checkpoint;
    if (size < this.#size)
      throw new RangeError(
        `A checkpoint is given before the entries of its last tile; of size ${size}, it came after ${this.#size}.`,
      );
    let at = this.#expected.length;
    while (at > 0 && this.#expected[at - 1]!.checkpoint.size > size) at--;
    this.#expected.splice(at, 0, expected);
  }

  /** A stored full tile of level 1 or above, before or after those below it. */
  upperTile(level: number, index: number, hashes: Uint8Array): void {
    this.#compareUpper({ level, index }, { stored: hashes.slice() });
  }

  /** The next tile's leaves. */
  tile(outcome: TileOutcome): void {
    const { index, width, computed, stored, agree } = outcome;
    if (stored === undefined && width === TILE_WIDTH)
      this.findings.push({ code: 'tile-missing', level: 0, index });
    if (agree || this.#byTiles === undefined) this.findings.push(...outcome.findings);
    else {
      this.#byEntries ??= this.#byTiles.clone();
      for (const finding of outcome.findings)
        (finding.code === 'duplicated' ? this.findings : this.#undecided.entries).push(finding);
      this.#undecided.tiles.push({ code: 'tile-altered', level: 0, index });
      if (this.#unexplained.length < MAX_UNEXPLAINED)
        this.#undecided.unexplained.push(...outcome.unexplained);
    }
    this.#meetRoots(this.#size);
    const end = this.#size + width;
    let done = 0;
    while (this.#size < end) {
      const stop = Math.min(end, this.#expected[0]?.checkpoint.size ?? end);
      this.#grow(stored ?? computed, computed, stop - this.#size, done);
      done += stop - this.#size;
      this.#size = stop;
      this.#meetRoots(stop);
    }
  }

  #grow(tile: Uint8Array | undefined, entries: Uint8Array | undefined, count: number, offset: number): void {
    if (tile === undefined) this.#byTiles = undefined;
    for (const full of (tile && this.#byTiles?.append(tile, count, offset)) ?? [])
      this.#compareUpper(full, { computed: full.hashes });
    if (entries === undefined) this.#byEntries = undefined;
    else this.#byEntries?.append(entries, count, offset);
  }

  #compareUpper(
    { level, index }: Pick<FullTile, 'level' | 'index'>,
    hashes: { stored?: Uint8Array; computed?: Uint8Array },
  ): void {
    if (level === 0) return;
    const key = `${level}/${index}`;
    const both = { ...this.#upper.get(key), ...hashes };
    this.#upper.set(key, both);
    if (both.stored === undefined || both.computed === undefined) return;
    this.#upper.delete(key);
    if (!sameBytes(both.stored, both.computed)) this.findings.push({ code: 'tile-altered', level, index });
  }

  #meetRoots(size: number): void {
    while (this.#expected[0]?.checkpoint.size === size) {
      const expected = this.#expected.shift()!;
      // Anew for each: one checkpoint may decide which tree is right, and the next of the same size meets that one.
      const byTiles = this.#byTiles?.root();
      const { root } = expected.checkpoint;
      const tilesAgree = byTiles !== undefined && sameBytes(root, byTiles);
      const entriesAgree = this.#byEntries !== undefined && sameBytes(root, this.#byEntries.root());
      if (tilesAgree || entriesAgree) {
        // Where both agree, the checkpoint stands before what differs, and decides nothing.
        if (!entriesAgree) this.#decide('entries');
        else if (!tilesAgree) {
          this.#byTiles = this.#byEntries;
          this.#decide('tiles');
        }
        this.#onRoot({ ...expected, root: 'same' });
      } else this.#onRoot({ ...expected, root: byTiles === undefined ? 'unknown' : 'other' });
    }
  }

  #decide(altered: 'entries' | 'tiles'): void {
    if (this.#byEntries === undefined) return;
    this.findings.push(...this.#undecided[altered]);
    if (altered === 'entries') this.#unexplained.push(...this.#undecided.unexplained);
    this.#undecided = nothingUndecided();
    this.#byEntries = undefined;
  }

  /**
   * The frontier that is stored with the log's size, and what remains undecided: the checkpoints beyond the last
   * entry are returned.
   */
  finish(storedFrontier?: Uint8Array): readonly ExpectedRoot[] {
    this.#meetRoots(this.#size);
    if (storedFrontier !== undefined && this.#byTiles !== undefined) {
      const same = sameBytes(storedFrontier, this.#byTiles.frontier());
      if (!same && !(this.#byEntries && sameBytes(storedFrontier, this.#byEntries.frontier())))
        this.findings.push({ code: 'frontier-altered', size: this.#size });
    }
    this.#decide('entries');
    for (const [key, { stored, computed }] of this.#upper) {
      const [level, index] = key.split('/').map(Number) as [number, number];
      // A stored tile beyond the tree's end is as wrong as one that should be there and isn't.
      if (stored !== undefined) this.findings.push({ code: 'tile-altered', level, index });
      else if (computed !== undefined) this.findings.push({ code: 'tile-missing', level, index });
    }
    this.#explainMoved();
    return this.#expected;
  }

  #explainMoved(): void {
    const moved = movedBetweenTiles(this.#hash, this.#unexplained);
    for (const [i, finding] of this.findings.entries()) {
      const from = finding.code === 'altered' ? moved.get(finding.sequence) : undefined;
      if (finding.code === 'altered' && from !== undefined)
        this.findings[i] = { code: 'moved', sequence: finding.sequence, from };
    }
  }
}

function emptyState(): RootVerifierState {
  const byTiles = { size: 0, partialTiles: [] };
  return { size: 0, findings: [], byTiles, undecided: nothingUndecided(), unexplained: [], upper: [] };
}

function nothingUndecided(): Undecided {
  return { entries: [], tiles: [], unexplained: [] };
}
