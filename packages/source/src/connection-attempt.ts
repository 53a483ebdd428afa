import type { ConnectionTarget } from './connection-string.ts';
import type { Finding } from './finding.ts';
import type { ServerSnapshot } from './source-snapshot.ts';

/**
 * What was being done when an error came. Several SQLSTATEs mean different things at different moments, and
 * only the message would tell them apart otherwise, in the language of the server.
 */
export type ConnectionPhase =
  | 'connect'
  | 'connect-replication'
  | 'inspect'
  | 'create-publication'
  | 'create-slot'
  | 'start-replication'
  | 'stream'
  | 'write';

export interface ConnectionAttempt {
  readonly database: 'source' | 'audit';
  readonly phase: ConnectionPhase;
  readonly target: ConnectionTarget;
  readonly slot?: string;
  readonly publication?: string;
  /** Default `self-managed`. */
  readonly provider?: ServerSnapshot['provider'];
  /**
   * What `check` finds on the source, where it could be asked. One SQLSTATE (55000) stands for everything
   * that may be wrong with a slot: the first failure explains it better than the error does.
   */
  readonly findings?: readonly Finding[];
  /** The transaction that was being sent. */
  readonly sending?: SentTransaction;
}

export interface SentTransaction {
  readonly xid: number;
  /** The position right behind its commit record's start: from there on the server sends what comes after it. */
  readonly skipToLsn: string;
}

export interface ConnectionExplanation {
  /** Stable, in kebab-case; the id of a finding where it is the same matter. */
  readonly code: string;
  /** What happened, in a sentence that names the connection, without secrets. */
  readonly message: string;
  readonly fix: string;
  /** Whether something done to a server or network, or time alone, can cure it: then trying again makes sense. */
  readonly retry: boolean;
}
