/**
 * Something that isn't as docs/spec/log.md says. Sequences and sizes are numbers, LSNs texts as PostgreSQL prints
 * them; no finding holds a row, a key or a context.
 */
export type Finding =
  /**
   * The stored entries aren't those that were logged. With `count` > 1: one of them at least,
   * between two checkpoints; no tile tells which.
   */
  | { readonly code: 'altered'; readonly sequence: number; readonly count: number }
  | { readonly code: 'missing'; readonly sequence: number; readonly count: number }
  /** Of the events before `before`, which the retention event at `sequence` says all stay, `count` are gone. */
  | {
      readonly code: 'events-missing';
      readonly sequence: number;
      readonly before: number;
      readonly count: number;
    }
  /** The `retention` event dropped what was younger than the days for which the log says that it keeps everything. */
  | { readonly code: 'dropped-early'; readonly sequence: number; readonly days: number }
  | { readonly code: 'inserted'; readonly sequence: number; readonly count: number }
  /** Under `sequence` stands the entry that was logged as `from`. */
  | { readonly code: 'moved'; readonly sequence: number; readonly from: number }
  | { readonly code: 'duplicated'; readonly sequence: number }
  /** A checkpoint was signed at `size`, and the log has fewer entries. */
  | {
      readonly code: 'rolled-back';
      readonly size: number;
      readonly entries: number;
      readonly outside: boolean;
    }
  /** The checkpoint was signed for another history: at its size, the log has another root. */
  | { readonly code: 'forked'; readonly size: number; readonly outside: boolean }
  /** Entries after the last checkpoint. */
  | { readonly code: 'unsigned'; readonly sequence: number; readonly count: number }
  /** A checkpoint that no key signed which could have: `reason` as in `verifySignatures`. */
  | {
      readonly code: 'wrong-key';
      readonly size: number;
      readonly reason: 'unsigned' | 'invalid';
      readonly outside: boolean;
    }
  /** None of the keys that were given is one of the log's. */
  | { readonly code: 'untrusted-key'; readonly sequence: number }
  /** A `key` event whose signature by the previous key is missing or wrong, or which names another previous key. */
  | { readonly code: 'bad-rotation'; readonly sequence: number }
  | { readonly code: 'malformed-checkpoint'; readonly outside: boolean; readonly message: string }
  | { readonly code: 'tile-altered'; readonly level: number; readonly index: number }
  | { readonly code: 'tile-missing'; readonly level: number; readonly index: number }
  | { readonly code: 'frontier-altered'; readonly size: number }
  | { readonly code: 'erased-without-event'; readonly sequence: number; readonly count: number }
  /** The commit's covered-from LSN isn't where the one before it ends, and no event explains it. */
  | {
      readonly code: 'coverage-gap';
      readonly sequence: number;
      readonly fromLsn: string;
      readonly toLsn: string;
    }
  /** The log id of a checkpoint isn't that of the log's first entry. */
  | { readonly code: 'other-log'; readonly logId: string; readonly expected: string }
  | {
      readonly code: 'wrong-generation';
      readonly sequence: number;
      readonly generation: number;
      readonly expected: number;
    }
  /** Entry 0 isn't the `created` event, or entry 1 no `key` event. */
  | { readonly code: 'broken-start'; readonly sequence: number }
  | { readonly code: 'broken-transaction'; readonly sequence: number; readonly rule: TransactionRule }
  | { readonly code: 'unknown-relation'; readonly sequence: number; readonly relation: number }
  /** A record of a known kind that can't be read. */
  | { readonly code: 'malformed-record'; readonly sequence: number }
  | { readonly code: 'malformed-event'; readonly sequence: number; readonly eventKind: string };

/** Which part of rule 3 of docs/spec/log.md is broken. */
export type TransactionRule =
  | 'number'
  | 'context-numbers'
  | 'change-count'
  | 'context-count'
  | 'no-such-context'
  | 'no-commit';

/** What the log's own events say that whoever reads a report must know: nothing is wrong with the log. */
export type Notice =
  | { readonly code: 'key-replaced'; readonly sequence: number }
  | {
      readonly code: 'gap-accepted';
      readonly sequence: number;
      readonly fromLsn: string;
      readonly toLsn: string;
    }
  | {
      readonly code: 'wal-skipped';
      readonly sequence: number;
      readonly fromLsn: string;
      readonly toLsn: string;
    }
  /** A checkpoint that a `gap` event gave up. */
  | { readonly code: 'checkpoint-given-up'; readonly size: number; readonly sequence: number }
  | { readonly code: 'entries-dropped'; readonly before: number }
  | { readonly code: 'opaque-entries'; readonly count: number };
