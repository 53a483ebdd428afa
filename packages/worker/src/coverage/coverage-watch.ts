import { type Lsn, parseLsn, zeroLsn } from '@bemi-db/replication/lsn';
import { type Coverage, coverageDigest } from '@bemi-db/trail/coverage/coverage-document';
import { type CoveragePayload, coveragePayloads } from '@bemi-db/trail/coverage/coverage-entries';
import { type CoverageLoss, coverageLosses } from '@bemi-db/trail/coverage/coverage-losses';
import { ddlSince } from '@bemi-db/trail/coverage/ddl-since';
import { readCoverage } from '@bemi-db/trail/coverage/read-coverage';
import { lossesReviewedTo, type RecordedLoss, recordedLosses } from '@bemi-db/trail/coverage/recorded-losses';
import type pg from 'pg';
import type { DdlContent } from '../ddl-event.ts';
import type { Logger } from '../logger.ts';
import { type CoverageOptions, inspectCoverage } from './inspect-coverage.ts';

export interface CoverageWatchOptions {
  /** An ordinary session on the source. */
  readonly source: pg.ClientBase;
  /** Reads the log. */
  readonly audit: pg.ClientBase;
  readonly log: number;
  readonly publication: string;
  /** Between two looks, where no DDL calls for one. */
  readonly intervalMs: number;
  /** Between two entries at most. */
  readonly aliveIntervalMs: number;
  /** Those in force. */
  readonly rules: () => CoverageOptions['rules'];
  /** Makes an event; returns its sequence. */
  readonly append: (payloads: readonly CoveragePayload[]) => readonly number[];
  /** All that was committed before it is in the log. */
  readonly safeLsn: () => Lsn;
  /** Of the process: it outlives a session. */
  readonly unexplained: UnexplainedLosses;
  readonly logger: Logger;
}

/** Losses that nothing explained, by what they are of. */
export type UnexplainedLosses = Map<string, RecordedLoss>;

/** How long after DDL it is looked: a migration is seldom alone. */
const settleMs = 1_000;
/** After so many entries that say what has changed, it is said as a whole again: who reads has less to read. */
const changesBeforeWhole = 500;

/**
 * Says in the log what of the source is recorded, and how (docs/spec/coverage.md): at the start, when it has changed, and
 * now and then that it has not.
 *
 * Whoever takes something out of what is recorded leaves a `ddl` entry, where event triggers saw it. The catalog speaks of
 * now, the stream of what was: so a loss is judged when the stream has come to the position of the look that found it.
 */
export class CoverageWatch {
  readonly #options: CoverageWatchOptions;
  #last: Coverage | undefined;
  #since = -1;
  #changes = 0;
  #dueAtMs = 0;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #isStopped = false;
  /** What DDL entries named, with the position of the last one's commit. */
  readonly #explained = new Map<number | 'publication', Lsn>();
  #unjudged: { readonly asOfLsn: Lsn; readonly losses: readonly CoverageLoss[] } | undefined;
  /** The coverage before each of these losses and the entry that shows it, by what it is of. */
  readonly #beforeLoss = new Map<string, Omit<RecordedLoss, 'loss'>>();

  constructor(options: CoverageWatchOptions) {
    this.#options = options;
  }

  /** Reads what the log says so far, and looks for the first time. */
  async start(): Promise<void> {
    const { audit, log, unexplained } = this.#options;
    const recorded = await readCoverage(audit, log);
    if (recorded) {
      this.#last = recorded.coverage;
      this.#since = recorded.since;
      this.#changes = recorded.changes;
      const said = await ddlSince(audit, log, recorded.since);
      for (const oid of said.oids) this.#explained.set(oid, zeroLsn);
      if (said.publication) this.#explained.set('publication', zeroLsn);
      // What a process before this one has found. What this one has found is there already.
      for (const found of await recordedLosses(audit, log))
        if (!unexplained.has(keyOf(found.loss))) unexplained.set(keyOf(found.loss), found);
    }
    await this.#look();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** An entry says what DDL did. */
  ddl({ tables, namesPublication }: DdlContent, commitLsn: Lsn): void {
    for (const { oid } of tables) this.#explained.set(oid, commitLsn);
    if (namesPublication) this.#explained.set('publication', commitLsn);
    this.#dueAtMs = Math.min(this.#dueAtMs, performance.now() + settleMs);
  }

  /** Now and then. */
  tick(): void {
    this.#judge();
    // What the last look found is judged first: what explains it may still have to come.
    if (this.#isLooking || this.#unjudged || performance.now() < this.#dueAtMs) return;
    void this.#look();
  }

  /** Never throws: a connection that is lost ends the session by itself, and nothing else may. */
  async #look(): Promise<void> {
    const { source, publication, intervalMs, logger } = this.#options;
    this.#isLooking = true;
    this.#dueAtMs = performance.now() + intervalMs;
    try {
      const coverage = await inspectCoverage(source, { publication, rules: this.#options.rules() });
      await this.#forgetReviewed();
      if (!this.#isStopped) this.#take(coverage);
    } catch (error) {
      logger.warn({ err: error }, 'What is recorded could not be looked at');
    } finally {
      this.#isLooking = false;
    }
  }

  #take(coverage: Coverage): void {
    const { append, aliveIntervalMs } = this.#options;
    const before = this.#last;
    const isLong = this.#changes >= changesBeforeWhole;
    let payloads = coveragePayloads(before, coverage);
    if (payloads.length > 0 && isLong) payloads = coveragePayloads(undefined, coverage);
    const nowMs = performance.now();
    if (payloads.length > 0) {
      this.#changes = payloads[0]?.event === 'whole' ? 0 : this.#changes + 1;
      this.#since = append(payloads)[0]!;
      this.#saidAtMs = nowMs;
    } else if (nowMs - this.#saidAtMs >= aliveIntervalMs) {
      const { asOfLsn } = coverage;
      append([{ event: 'unchanged', asOfLsn, digest: coverageDigest(coverage), since: this.#since }]);
      this.#saidAtMs = nowMs;
    }
    this.#last = coverage;
    this.#forgetRestored(coverage);
    const losses = before ? coverageLosses(before, coverage) : [];
    if (!before || losses.length === 0) {
      this.#forgetExplained(parseLsn(coverage.asOfLsn));
      return;
    }
    this.#unjudged = { asOfLsn: parseLsn(coverage.asOfLsn), losses };
    for (const loss of losses) this.#beforeLoss.set(keyOf(loss), { before, sequence: this.#since });
    this.#judge();
  }

  #judge(): void {
    const { safeLsn, unexplained: known, logger } = this.#options;
    const unjudged = this.#unjudged;
    if (!unjudged || safeLsn() < unjudged.asOfLsn) return;
    this.#unjudged = undefined;
    const unexplained = unjudged.losses.filter((loss) => !this.#isExplained(loss));
    for (const loss of unexplained) known.set(keyOf(loss), { loss, ...this.#beforeLoss.get(keyOf(loss))! });
    this.#beforeLoss.clear();
    this.#forgetExplained(unjudged.asOfLsn);
    if (unexplained.length === 0) return;
    logger.warn(
      { losses: unexplained.slice(0, 20).map(({ what }) => what), count: unexplained.length },
      'Less is recorded than before, and no entry of DDL says why',
    );
  }

  /** What was committed before a look is in it: it explains nothing that comes later. */
  #forgetExplained(asOfLsn: Lsn): void {
    for (const [key, lsn] of this.#explained) if (lsn < asOfLsn) this.#explained.delete(key);
  }

  #isExplained(loss: CoverageLoss): boolean {
    if (loss.of === 'table') return loss.oid !== undefined && this.#explained.has(loss.oid);
    return loss.of === 'publication' && this.#explained.has('publication');
  }

  /** What is recorded again as it was before is no loss any more. */
  #forgetRestored(coverage: Coverage): void {
    const { unexplained } = this.#options;
    for (const [key, { before }] of unexplained)
      if (!coverageLosses(before, coverage).some((loss) => keyOf(loss) === key)) unexplained.delete(key);
  }

  /** Somebody has attested that what is lost was looked at. */
  async #forgetReviewed(): Promise<void> {
    const { audit, log, unexplained } = this.#options;
    if (unexplained.size === 0) return;
    const reviewedTo = await lossesReviewedTo(audit, log);
    for (const [key, { sequence }] of unexplained) if (sequence <= reviewedTo) unexplained.delete(key);
  }
}

function keyOf({ of, oid }: CoverageLoss): string {
  return oid === undefined ? of : `${of} ${oid}`;
}
