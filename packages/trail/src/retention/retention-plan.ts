/** A range of sequences that has partitions of its own. */
export interface PartitionFacts {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly transactions: number;
  readonly changes: number;
  /** The latest time, of commit or of recording, of a transaction with entries in it; `undefined` where there is none. */
  readonly youngest: Date | undefined;
}

export interface RetentionPlan {
  /** The first sequence that is kept; changes, contexts and commits before it are dropped. */
  readonly before: number;
  readonly transactions: number;
  readonly changes: number;
  /** Of what is dropped. */
  readonly youngest: Date | undefined;
}

/**
 * Which partitions may be dropped: the longest run of whole ones from the beginning in which everything is older, and
 * never the one in which the last transaction begins. Times don't rise with the sequence, so each is looked at by its
 * youngest entry, and the first that is too young keeps those behind it.
 *
 * @param partitions - in ascending order.
 * @param lastTransaction - sequence of the first entry of the last transaction; `undefined` where there is none.
 * @returns `undefined` where nothing may be dropped.
 */
export function retentionPlan(
  partitions: readonly PartitionFacts[],
  olderThan: Date,
  lastTransaction: number | undefined,
): RetentionPlan | undefined {
  let plan: RetentionPlan | undefined;
  for (const { to, transactions, changes, youngest } of partitions) {
    if (lastTransaction === undefined || to > lastTransaction) break;
    if (youngest !== undefined && youngest >= olderThan) break;
    plan = {
      before: to,
      transactions: (plan?.transactions ?? 0) + transactions,
      changes: (plan?.changes ?? 0) + changes,
      youngest: latest(plan?.youngest, youngest),
    };
  }
  return plan;
}

function latest(a: Date | undefined, b: Date | undefined): Date | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
