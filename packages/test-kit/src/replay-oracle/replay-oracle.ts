import type pg from 'pg';
import { pruneWitness } from '../random-workload/witness.ts';
import { readLogChanges } from './log-change.ts';
import { TableReplay } from './table-replay.ts';
import { TransactionComparison } from './transaction-comparison.ts';
import { readWatchedTables } from './watched-tables.ts';

export interface ReplayReport {
  /** Transactions and changes of the log that were compared. */
  readonly transactions: number;
  readonly changes: number;
  /** What differs first, in words; `undefined` when nothing does. */
  readonly difference: string | undefined;
}

/**
 * Holds the log of a random workload against its source: each transaction of the log is one of the source, with the same
 * changes and contexts, none is missing; and every table, rebuilt from the log alone, is what the source holds.
 *
 * No client may write while it compares, and the log must hold all that was written (`writeMarker`). In a long run it
 * compares now and then, each time what is new: the tables as they are rebuilt stay in memory, and what has been
 * compared is taken out of the journal.
 *
 * @example
 * const oracle = new ReplayOracle();
 * const { difference } = await oracle.compare(source, audit);
 */
export class ReplayOracle {
  readonly #log: number;
  #replay: TableReplay | undefined;
  #lastSequence = '-1';

  /** @param log - number of the log in the audit database. Default 0. */
  constructor(log = 0) {
    this.#log = log;
  }

  /** Compares what the log has got since the last time. */
  async compare(source: pg.ClientBase, audit: pg.ClientBase): Promise<ReplayReport> {
    await source.query(settings);
    await audit.query(settings);
    const tables = await readWatchedTables(source);
    this.#replay ??= new TableReplay(tables);
    const comparison = new TransactionComparison(source, audit, this.#log);
    const difference =
      (await this.#compareChanges(audit, this.#replay, comparison)) ??
      (await this.#replay.compareWith(source, tables));
    return { ...comparison.counts, difference };
  }

  /** The same, and forgets the journal of what was found to be equal. */
  async compareAndPrune(source: pg.ClientBase, audit: pg.ClientBase): Promise<ReplayReport> {
    const report = await this.compare(source, audit);
    if (report.difference === undefined) await pruneWitness(source);
    return report;
  }

  /** A difference within a transaction says more than that the next change does not fit: it comes first. */
  async #compareChanges(
    audit: pg.ClientBase,
    replay: TableReplay,
    comparison: TransactionComparison,
  ): Promise<string | undefined> {
    let misfit: string | undefined;
    for await (const page of readLogChanges(audit, this.#log, this.#lastSequence)) {
      const difference = await comparison.take(page);
      if (difference) return difference;
      for (const change of page) misfit ??= replay.apply(change);
      this.#lastSequence = page.at(-1)!.sequence;
    }
    return (await comparison.finish()) ?? misfit;
  }
}

const settings = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';
  SET extra_float_digits = 1; SET bytea_output = 'hex'`;
