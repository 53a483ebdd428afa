import type { Finding } from '@bemi-db/proof/finding';

/**
 * What is wrong with a stored log: what its records, tiles and checkpoints say, and tables beside them that people read
 * without any record saying what must stand there.
 */
export type StoredFinding =
  | Finding
  /** A row of `relations` is not what its event says, so the view shows other names of tables or columns. */
  | { readonly code: 'relation-altered'; readonly sequence: number; readonly reason: RelationProblem }
  /** A column of `sources` is not what the log's events say. */
  | { readonly code: 'source-altered'; readonly column: string }
  /** A row of `holds` is not what the event at `sequence` says, is gone, or belongs to no hold in force. */
  | { readonly code: 'hold-altered'; readonly sequence: number; readonly id: string }
  /** The index that searches use has not what it must have of the changes from `sequence` on: some would not be found. */
  | { readonly code: 'index-altered'; readonly sequence: number }
  /** The view `changes` is not the one that belongs to this version of the schema. */
  | { readonly code: 'view-altered' };

export type RelationProblem = 'other-document' | 'other-names' | 'no-event' | 'no-row';
