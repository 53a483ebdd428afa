import type { FullTile } from '@bemi-db/proof/tile-tree';
import type { CopyBuffer } from './copy-buffer.ts';
import type { TreeHead } from './log-tree.ts';

/** A shape of a table, as its `relation` event holds it. */
export interface RelationRow {
  /** Sequence of that event. */
  readonly relation: number;
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly rootSchema: string;
  readonly rootTable: string;
  /** Canonical JSON text. */
  readonly document: string;
}

/** The event that a request in the inbox became. */
export interface InboxAnswer {
  readonly id: string;
  readonly sequence: number;
  /** What the event does beside being said, by `bemi.carry_out`: an erasure, a hold, retention. */
  readonly effect?: EventEffect;
}

/** An event that changes other tables, in its own audit transaction. */
export interface EventEffect {
  readonly kind: string;
  /** JSON text. */
  readonly payload: string;
}

/** Bytes that can't stand where they belong, kept as they came. */
export interface QuarantineRow {
  /** Of the entry that they belong to. */
  readonly sequence: number;
  readonly field: 'row' | 'context';
  readonly reason: string;
  readonly bytes: Uint8Array;
}

/** What a `gap` or a `skip` event changes beside being said: where, and in which history, recording goes on. */
export type Relocation =
  | {
      readonly kind: 'gap';
      readonly generation: number;
      readonly systemIdentifier: string;
      readonly slot: string;
      readonly publication: string;
      readonly timeline: number;
      readonly toLsn: string;
    }
  | { readonly kind: 'skip'; readonly toLsn: string };

/** How far the source is recorded once a unit is committed. LSNs in PostgreSQL's text form. */
export interface Progress {
  readonly lastFinalLsn: string;
  readonly confirmedLsn: string;
  readonly timeline: number;
}

/**
 * What one step of the writer puts into the audit database. With `progress` the audit transaction is committed
 * after it; without, it stays open for the rest of a source transaction that is too large for one unit.
 */
export interface AppendUnit {
  readonly firstSequence: number;
  readonly nextSequence: number;
  readonly changes: CopyBuffer;
  readonly contexts: CopyBuffer;
  readonly transactions: CopyBuffer;
  readonly events: CopyBuffer;
  /** Tiles of the tree that these entries fill. */
  readonly tiles: CopyBuffer;
  /** The same tiles, for those who publish them. */
  readonly fullTiles: readonly FullTile[];
  /** Where the tree ends; absent from a part, and where there are no entries. */
  readonly head: TreeHead | undefined;
  readonly relations: readonly RelationRow[];
  readonly quarantine: readonly QuarantineRow[];
  readonly answers: readonly InboxAnswer[];
  readonly progress: Progress | undefined;
  /** Only in a unit that has nothing but the event which says so. */
  readonly relocation?: Relocation;
}
