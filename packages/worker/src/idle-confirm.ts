import type { Lsn } from '@bemi-db/replication/lsn';

/** A position is recorded at most this often while nothing else is. */
const idleIntervalMs = 10_000;
/** WAL that the audit database's own upkeep may write between two such commits, full pages included. */
const ownWalBytes = 64n * 1024n;

export interface IdleFacts {
  readonly safeLsn: Lsn;
  readonly confirmedLsn: Lsn;
  readonly sinceLastCommitMs: number;
  /** Source and audit database are on the same server: recording a position moves the position. */
  readonly isSameCluster: boolean;
  /** Somebody waits for the position (`--drain`). */
  readonly isDraining: boolean;
}

/**
 * Whether to record, while idle, that the source's WAL was read up to a position, so that the slot lets go of it. Where
 * the audit database shares the server, only when more WAL was written than we write ourselves: else each such
 * commit would be the reason for the next.
 */
export function shouldConfirmIdle(facts: IdleFacts): boolean {
  if (facts.safeLsn <= facts.confirmedLsn) return false;
  if (facts.isDraining) return true;
  if (facts.isSameCluster && facts.safeLsn - facts.confirmedLsn < ownWalBytes) return false;
  return facts.sinceLastCommitMs >= idleIntervalMs;
}
