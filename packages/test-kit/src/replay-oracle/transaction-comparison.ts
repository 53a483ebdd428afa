import type pg from 'pg';
import { changeDigest } from './change-digest.ts';
import { type DifferingTransaction, explainDifference } from './explain-difference.ts';
import type { LogChange } from './log-change.ts';
import { readWitnessedChanges, unseenTransactions } from './witnessed-change.ts';

/** A transaction of the log; its changes as digests with how often each occurs, so that a large one stays small. */
interface LogTransaction extends DifferingTransaction {
  readonly digests: Map<string, number>;
}

/** Changes of the log that wait until their transactions are compared. */
const batchSize = 10_000;

/**
 * Compares each transaction of the log with the one of the source that has its xid: the same changes, each as often. Their
 * order within a transaction is not compared, since triggers and cascades keep the journal in another one; that each
 * change fits the one before it is what `TableReplay` sees.
 */
export class TransactionComparison {
  readonly #source: pg.ClientBase;
  readonly #audit: pg.ClientBase;
  readonly #log: number;
  readonly #seen = new Set<string>();
  #waiting: LogTransaction[] = [];
  #waitingChanges = 0;
  #changes = 0;

  constructor(source: pg.ClientBase, audit: pg.ClientBase, log: number) {
    this.#source = source;
    this.#audit = audit;
    this.#log = log;
  }

  /** What has been taken so far. */
  get counts(): { readonly transactions: number; readonly changes: number } {
    return { transactions: this.#seen.size, changes: this.#changes };
  }

  /** Takes the log's next changes. Returns the first difference, in words. */
  async take(changes: readonly LogChange[]): Promise<string | undefined> {
    for (const change of changes) {
      let transaction = this.#waiting.at(-1);
      if (transaction?.sequence !== change.transaction) {
        if (this.#waitingChanges >= batchSize) {
          const difference = await this.#compareWaiting();
          if (difference) return difference;
        }
        if (this.#seen.has(change.xid)) {
          return `Transaction ${change.xid} is in the log again, from entry ${change.transaction} on`;
        }
        this.#seen.add(change.xid);
        transaction = { xid: change.xid, sequence: change.transaction, digests: new Map() };
        this.#waiting.push(transaction);
      }
      add(transaction.digests, changeDigest(change), 1);
      this.#waitingChanges++;
      this.#changes++;
    }
    return undefined;
  }

  /** After the last change: compares what waits, and looks for transactions of the source that did not come. */
  async finish(): Promise<string | undefined> {
    const difference = await this.#compareWaiting();
    if (difference) return difference;
    const [unseen, ...others] = await unseenTransactions(this.#source, this.#seen);
    if (!unseen) return undefined;
    const more = others.length > 0 ? `; nor are ${others.length} others` : '';
    return `Transaction ${unseen.xid} of the source (${unseen.changes} changes of ${unseen.tables}) is not in the log${more}`;
  }

  async #compareWaiting(): Promise<string | undefined> {
    const batch = new Map(this.#waiting.map((transaction) => [transaction.xid, transaction]));
    this.#waiting = [];
    this.#waitingChanges = 0;
    for await (const page of readWitnessedChanges(this.#source, [...batch.keys()])) {
      for (const change of page) add(batch.get(change.xid)!.digests, changeDigest(change), -1);
    }
    for (const transaction of batch.values()) {
      if (transaction.digests.size === 0) continue;
      return explainDifference(this.#source, this.#audit, this.#log, transaction);
    }
    return undefined;
  }
}

function add(digests: Map<string, number>, digest: string, by: number): void {
  const count = (digests.get(digest) ?? 0) + by;
  if (count === 0) digests.delete(digest);
  else digests.set(digest, count);
}
