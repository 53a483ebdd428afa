import type { Finding, TransactionRule as Rule } from './finding.ts';
import { readU32, readU64Number } from './integer.ts';

const NO_TRANSACTION = -1;

/** {@link TransactionRules} between two entries, as plain data. */
export interface TransactionRulesState {
  readonly transaction: number;
  readonly uncertain: boolean;
  readonly changes: number;
  readonly contexts: number;
  readonly highestContextNumber: number;
}

/**
 * Rule 3 of a whole log (docs/spec/log.md): a transaction's entries are its changes and contexts, then its commit,
 * with events in between; its number is the sequence of the first; contexts count from 0, and the commit's counts are
 * right.
 *
 * Each method is given a record's bytes from `start` on, in ascending order of the sequences.
 */
export class TransactionRules {
  readonly #report: (finding: Finding) => void;
  #transaction = NO_TRANSACTION;
  /** Entries of the transaction may be missing or opaque: its counts are not held against it. */
  #uncertain = false;
  #changes = 0;
  #contexts = 0;
  #highestContextNumber = 0;

  /** @param saved - of rules that were given the entries up to here */
  constructor(report: (finding: Finding) => void, saved?: TransactionRulesState) {
    this.#report = report;
    if (saved === undefined) return;
    this.#transaction = saved.transaction;
    this.#uncertain = saved.uncertain;
    this.#changes = saved.changes;
    this.#contexts = saved.contexts;
    this.#highestContextNumber = saved.highestContextNumber;
  }

  save(): TransactionRulesState {
    return {
      transaction: this.#transaction,
      uncertain: this.#uncertain,
      changes: this.#changes,
      contexts: this.#contexts,
      highestContextNumber: this.#highestContextNumber,
    };
  }

  change(bytes: Uint8Array, start: number, sequence: number): void {
    this.#member(readU64Number(bytes, start + 10), sequence);
    this.#changes++;
    const contextNumber = readU32(bytes, start + 34);
    if (contextNumber > this.#highestContextNumber) this.#highestContextNumber = contextNumber;
  }

  context(bytes: Uint8Array, start: number, sequence: number): void {
    this.#member(readU64Number(bytes, start + 10), sequence);
    if (readU32(bytes, start + 18) !== this.#contexts && !this.#uncertain)
      this.#broken(sequence, 'context-numbers');
    this.#contexts++;
  }

  commit(bytes: Uint8Array, start: number, sequence: number): void {
    if (!this.#uncertain) {
      // Of a transaction without changes and contexts (there was DDL), the commit itself is the first entry.
      const transaction = readU64Number(bytes, start + 10);
      if (this.#transaction === NO_TRANSACTION && transaction === sequence)
        this.#member(transaction, sequence);
      if (transaction !== this.#transaction) this.#broken(sequence, 'number');
      else this.#counts(bytes, start, sequence);
    }
    this.#transaction = NO_TRANSACTION;
    this.#uncertain = false;
  }

  /** Entries are missing, or one can't be understood. */
  uncertain(): void {
    this.#uncertain = true;
  }

  /** @param last - sequence of the log's last entry */
  finish(last: number): void {
    if (this.#transaction !== NO_TRANSACTION && !this.#uncertain) this.#broken(last, 'no-commit');
  }

  /** An entry of a transaction, which is the open one, or begins with this entry. */
  #member(transaction: number, sequence: number): void {
    if (transaction === this.#transaction) return;
    if (this.#transaction !== NO_TRANSACTION && !this.#uncertain)
      this.#broken(sequence, transaction === sequence ? 'no-commit' : 'number');
    else if (transaction !== sequence && !this.#uncertain) this.#broken(sequence, 'number');
    // One that begins here is whole, whatever was missing before it. Of another, no more is said.
    this.#uncertain = transaction !== sequence && (this.#uncertain || this.#transaction !== NO_TRANSACTION);
    this.#transaction = transaction;
    this.#changes = 0;
    this.#contexts = 0;
    this.#highestContextNumber = 0;
  }

  #counts(bytes: Uint8Array, start: number, sequence: number): void {
    if (readU64Number(bytes, start + 70) !== this.#changes) this.#broken(sequence, 'change-count');
    if (readU32(bytes, start + 78) !== this.#contexts) this.#broken(sequence, 'context-count');
    // Context number 0 in a transaction without contexts is no context.
    if (this.#highestContextNumber >= Math.max(1, this.#contexts)) this.#broken(sequence, 'no-such-context');
  }

  #broken(sequence: number, rule: Rule): void {
    this.#report({ code: 'broken-transaction', sequence, rule });
  }
}
