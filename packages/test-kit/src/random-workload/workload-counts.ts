/** What the clients of a run saw. What the source has in the end is in the journal (`witnessedCounts`). */
export interface WorkloadCounts {
  committed: number;
  rolledBack: number;
  /** PREPARE TRANSACTION; each is ended by another session. */
  prepared: number;
  committedPrepared: number;
  rolledBackPrepared: number;
  /** Whose COMMIT was answered by a broken connection. */
  unknown: number;
  /** Of these, what the source said afterwards; the others it could not be asked about. */
  unknownCommitted: number;
  unknownRolledBack: number;
  /** Transactions that altered a table, of those that were committed. */
  alterations: number;
  failedStatements: number;
  savepointRollbacks: number;
  /** Connections that a client dropped within a transaction. */
  disconnects: number;
  /** Connections that were made again, after such a one or because the server was away. */
  reconnects: number;
  /** Statements that succeeded, by name. */
  readonly statements: Record<string, number>;
}

export function newWorkloadCounts(): WorkloadCounts {
  return {
    committed: 0,
    rolledBack: 0,
    prepared: 0,
    committedPrepared: 0,
    rolledBackPrepared: 0,
    unknown: 0,
    unknownCommitted: 0,
    unknownRolledBack: 0,
    alterations: 0,
    failedStatements: 0,
    savepointRollbacks: 0,
    disconnects: 0,
    reconnects: 0,
    statements: {},
  };
}
