import type { LogResource } from '@bemi-db/trail/tree/log-resource';
import type { UnexplainedLosses } from './coverage/coverage-watch.ts';
import type { Problem } from './problem.ts';
import type { PublisherStatus } from './publication/publisher.ts';

export type WorkerState = 'starting' | 'waiting' | 'recording' | 'stopping' | 'stopped';

/** What a worker is doing, for `/readyz`, `/metrics` and the command line. LSNs are text, exact. */
export interface WorkerStatus {
  /** `waiting`: something keeps it from recording (`problem`), and it tries again. */
  readonly state: WorkerState;
  readonly problem: Problem | undefined;
  /** Since the process started. */
  readonly changes: number;
  readonly transactions: number;
  readonly quarantined: number;
  /** Changes that the rules left out. */
  readonly leftOut: number;
  /** Audit transactions that were committed, and the time that they took, each from when it was sent. */
  readonly auditTransactions: number;
  readonly auditSeconds: number;
  readonly restarts: number;
  readonly receivedLsn: string;
  readonly confirmedLsn: string;
  readonly lastCommitAt: Date | undefined;
  /** False where the source is too old to send logical messages (before PostgreSQL 14). */
  readonly hasContext: boolean;
  /** What is recorded less than it was, and no entry of DDL says why: names and facts, no values. */
  readonly coverageLosses: readonly string[];
  /** How the publishing of checkpoints goes; `undefined` before the first session. */
  readonly publication: PublisherStatus | undefined;
}

/** The mutable side, written by the pipeline. */
export type WorkerCounters = {
  -readonly [Key in Exclude<keyof WorkerStatus, 'publication' | 'coverageLosses'>]: WorkerStatus[Key];
} & {
  readonly coverageLosses: UnexplainedLosses;
  publication: (() => PublisherStatus) | undefined;
  /** Reads what is served of the log; `undefined` before the first session. */
  readLog: ((path: string) => Promise<LogResource | undefined>) | undefined;
};

export function newCounters(): WorkerCounters {
  return {
    state: 'starting',
    problem: undefined,
    changes: 0,
    transactions: 0,
    quarantined: 0,
    leftOut: 0,
    auditTransactions: 0,
    auditSeconds: 0,
    restarts: 0,
    receivedLsn: '0/0',
    confirmedLsn: '0/0',
    lastCommitAt: undefined,
    hasContext: true,
    coverageLosses: new Map(),
    publication: undefined,
    readLog: undefined,
  };
}

export function snapshotOf(counters: WorkerCounters): WorkerStatus {
  const { publication, coverageLosses, readLog: _, ...status } = counters;
  return {
    ...status,
    coverageLosses: [...coverageLosses.values()].map(({ loss }) => loss.what),
    publication: publication?.(),
  };
}
