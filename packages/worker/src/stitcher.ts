import type { Operation } from '@bemi-db/proof/record';
import { formatLsn, type Lsn, zeroLsn } from '@bemi-db/replication/lsn';
import {
  type BeforeKind,
  PgoutputDecoder,
  PgoutputError,
  type PgoutputHandler,
  type Relation,
  type TruncateOptions,
} from '@bemi-db/replication/pgoutput';
import type { Tuple } from '@bemi-db/replication/tuple';
import type { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import type { RecordedTransaction } from '@bemi-db/trail/sources';
import { writeChangeFields } from './change-fields.ts';
import { nowMicros } from './clock.ts';
import { isTextValid } from './invalid-text.ts';
import { contextNumber, type OpenTransaction, openTransaction } from './open-transaction.ts';
import type { RecordedHistory } from './recorded-history.ts';
import { rejectedReason } from './rejected-unit.ts';
import { historyChanged, ResentHistory } from './resent-history.ts';
import { isLeftOut, leaveOut } from './rules/leave-out.ts';
import type { RulesInForce } from './rules/rules-in-force.ts';
import { withheldMessage } from './rules/withheld-message.ts';
import type { TableShape } from './table-shape.ts';
import { trailSchema } from './trail-schema.ts';
import { TransactionMessages, type TransactionMessagesOptions } from './transaction-messages.ts';

export interface StitcherOptions extends TransactionMessagesOptions {
  /** What is recorded, and what of it is redacted. */
  readonly rules: RulesInForce;
  readonly history: RecordedHistory;
  readonly generation: number;
  /** final_lsn of the last recorded transaction: one at or below it is sent again. */
  readonly lastFinalLsn: Lsn;
  /** The same of earlier generations: what comes up to there may be in the log, and may have happened otherwise. */
  readonly previousFinalLsn: Lsn;
  /** End of the last recorded transaction. */
  readonly coveredLsn: Lsn;
  /** All before this position is recorded. */
  readonly safeLsn: Lsn;
  /** Whether the rows of a table must be looked at: their text may be no UTF-8. */
  readonly mayHoldInvalidText: (shape: TableShape) => boolean;
  /** A row whose message is larger goes into quarantine. */
  readonly maximumRowBytes: number;
  /** Stops the stream, does the work, and lets it go on. */
  readonly suspend: (work: () => Promise<void>) => void;
  /** Asks for a table's catalog entry and defines its shape. */
  readonly lookUp: (relation: Relation, xid: number) => Promise<void>;
  /** A change came that the rules leave out. */
  readonly onLeftOut: () => void;
  /** A source transaction ended; the batch is complete up to here. */
  readonly onTransaction: () => void;
}

/**
 * Turns the messages of a stream into entries of the log: stitches each change together with its table's shape and
 * the context that its transaction carries.
 *
 * A context applies to the changes that follow it in its transaction. Changes before the first one take the first
 * one too: both have context number 0, and that a change has the smaller sequence marks it. Transactions in which
 * nothing is recorded (no change, or only to the trail's own tables) leave no entry, but for a probe's event.
 *
 * A transaction whose final LSN is at or below that of the last recorded one is sent again. It is skipped if and
 * only if the log holds it with the same xid and commit time; otherwise the source's history is another one.
 */
export class Stitcher implements PgoutputHandler {
  readonly #options: StitcherOptions;
  readonly #batch: EntryBatch;
  readonly #decoder: PgoutputDecoder;
  readonly #resent: ResentHistory;
  readonly #messages: TransactionMessages;
  #transaction: OpenTransaction | undefined;
  #message: { bytes: Buffer; start: number; end: number } = { bytes: Buffer.alloc(0), start: 0, end: 0 };
  #lastFinalLsn: Lsn;
  #coveredLsn: Lsn;
  #safeLsn: Lsn;
  #reachedLsn = zeroLsn;
  #sameLsn = zeroLsn;

  constructor(options: StitcherOptions) {
    this.#options = options;
    this.#batch = options.batch;
    this.#decoder = new PgoutputDecoder(this);
    this.#messages = new TransactionMessages(options);
    this.#lastFinalLsn = options.lastFinalLsn;
    this.#coveredLsn = options.coveredLsn;
    this.#safeLsn = options.safeLsn;
    const { lastFinalLsn, safeLsn: confirmedLsn } = options;
    this.#resent = new ResentHistory({ lastFinalLsn, confirmedLsn });
  }

  /** final_lsn of the last transaction in the batch or before it. */
  get lastFinalLsn(): Lsn {
    return this.#lastFinalLsn;
  }

  /** Once the batch's complete transactions are durable, so is everything before this position. */
  get safeLsn(): Lsn {
    return this.#safeLsn;
  }

  /** Up to here the source has sent what it has, and it is what is recorded, or new. */
  get reachedLsn(): Lsn {
    return this.#reachedLsn;
  }

  /** End of the last transaction that came again, and is the same as the one that the log holds. */
  get sameLsn(): Lsn {
    return this.#sameLsn;
  }

  get isInTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** The transaction that is being read, and where what comes after it can be read from. */
  get sending(): { readonly xid: number; readonly skipToLsn: string } | undefined {
    const transaction = this.#transaction;
    return transaction && { xid: transaction.xid, skipToLsn: formatLsn((transaction.finalLsn + 1n) as Lsn) };
  }

  /**
   * A transaction that has not begun to come commits here or later, and those before committed earlier. Begins often have
   * the end of the transaction before, or a keepalive's position.
   */
  get nextFinalLsn(): Lsn {
    const transaction = this.#transaction;
    return transaction ? ((transaction.finalLsn + 1n) as Lsn) : this.#safeLsn;
  }

  /** How many recorded transactions the source has to send again, from where its slot is. */
  expectAgain(count: number): void {
    this.#resent.expect(count);
  }

  /** Takes one message of the output plugin: `bytes[start, end)`. */
  receive(lsn: Lsn, bytes: Buffer, start: number, end: number): void {
    this.#message.bytes = bytes;
    this.#message.start = start;
    this.#message.end = end;
    this.#decoder.decode(lsn, bytes, start, end);
  }

  /** All WAL before this position was sent. Inside a transaction that says nothing about what is complete. */
  keepalive(walEnd: Lsn): void {
    if (!this.#transaction) this.#reach(walEnd);
  }

  begin(finalLsn: Lsn, committedAtMicros: bigint, xid: number): void {
    // Compared with the last final LSN and nothing else: it often equals an end LSN or a keepalive's position.
    const isRepeated = finalLsn <= this.#options.lastFinalLsn;
    const rules = this.#options.rules.at(finalLsn);
    const transaction = openTransaction({ finalLsn, xid, committedAtMicros, rules, isRepeated });
    this.#transaction = transaction;
    const { history, shapes, suspend, lookUp, previousFinalLsn } = this.#options;
    const isCompared = finalLsn <= previousFinalLsn;
    const isUnread = (isRepeated || isCompared) && !history.covers(finalLsn);
    if (isCompared && !isRepeated && !isUnread)
      transaction.isRepeated = this.#recorded(transaction) !== undefined;
    const stale = transaction.isRepeated ? [] : shapes.staleAt(finalLsn);
    if (!isUnread && stale.length === 0) return;
    suspend(async () => {
      if (isUnread) await history.read(finalLsn);
      if (isCompared && !isRepeated) transaction.isRepeated = this.#recorded(transaction) !== undefined;
      if (transaction.isRepeated) return;
      for (const relation of stale) await lookUp(relation, xid);
    });
  }

  commit(_commitLsn: Lsn, endLsn: Lsn): void {
    const transaction = this.#open();
    if (transaction.isRepeated) {
      this.#verifyRepeated(transaction, endLsn);
    } else if (transaction.sequence !== undefined || transaction.ddlCount > 0) {
      // A worker that didn't know of DDL has read past it, and not recorded it.
      if (transaction.changeCount > 0) this.#resent.isNew(transaction.finalLsn);
      this.#resent.reached(transaction.finalLsn);
      this.#batch.commit(
        {
          sequence: 0, // the batch knows
          // Without changes and contexts, the commit is the transaction's first entry.
          transaction: transaction.sequence ?? this.#batch.nextSequence,
          generation: this.#options.generation,
          commitLsn: transaction.finalLsn,
          endLsn,
          coveredFromLsn: this.#coveredLsn,
          xid: BigInt(transaction.xid),
          committedAt: transaction.committedAtMicros,
          recordedAt: nowMicros(),
          changeCount: transaction.changeCount,
          contextCount: transaction.contextCount,
          hasActor: false, // the batch knows
        },
        transaction.actors?.text(),
      );
      this.#messages.appendProbe(transaction);
      this.#batch.complete();
      this.#lastFinalLsn = transaction.finalLsn;
      this.#coveredLsn = endLsn;
    } else if (this.#messages.appendProbe(transaction)) {
      this.#batch.complete();
      // Nothing else in the log tells that it is recorded: at or below this position it is not recorded again.
      this.#lastFinalLsn = transaction.finalLsn;
    }
    // Not before: parts of what is refused here may be written, and nobody may take them for complete.
    this.#transaction = undefined;
    this.#reach(endLsn);
    this.#options.onTransaction();
  }

  origin(): void {
    // Where a transaction was replicated from does not change what it did here.
  }

  type(): void {
    // Only names the type; the catalog also says what it is made of.
  }

  relation(relation: Relation): void {
    const { shapes, suspend, lookUp } = this.#options;
    if (this.#options.holdsTrail && relation.schema === trailSchema) shapes.ignore(relation);
    else {
      const { xid } = this.#open();
      suspend(() => lookUp(relation, xid));
    }
  }

  insert(lsn: Lsn, oid: number, after: Tuple): void {
    this.#change(lsn, oid, 'INSERT', 'none', undefined, after);
  }

  update(lsn: Lsn, oid: number, beforeKind: BeforeKind, before: Tuple, after: Tuple): void {
    this.#change(lsn, oid, 'UPDATE', beforeKind, beforeKind === 'none' ? undefined : before, after);
  }

  delete(lsn: Lsn, oid: number, beforeKind: 'full' | 'key', before: Tuple): void {
    this.#change(lsn, oid, 'DELETE', beforeKind, before, undefined);
  }

  truncate(lsn: Lsn, oids: readonly number[], _options: TruncateOptions): void {
    for (const oid of oids) this.#change(lsn, oid, 'TRUNCATE', 'none', undefined, undefined);
  }

  message(lsn: Lsn, isTransactional: boolean, prefix: string, content: Buffer): void {
    const transaction = this.#transaction;
    if (!isTransactional || !transaction) return;
    this.#messages.take(transaction, lsn, prefix, content);
  }

  #change(
    lsn: Lsn,
    oid: number,
    operation: Operation,
    beforeKind: BeforeKind,
    before: Tuple | undefined,
    after: Tuple | undefined,
  ): void {
    const transaction = this.#open();
    const shape = this.#options.shapes.get(oid);
    if (shape === 'ignored') return;
    if (!shape)
      throw new PgoutputError('change', 1, 'a table that a Relation message described', `OID ${oid}`);
    const treatment = transaction.rules?.of(shape);
    if (treatment && isLeftOut(treatment, beforeKind, before, after)) {
      this.#options.onLeftOut();
      return;
    }
    transaction.changeCount++;
    if (transaction.isRepeated) return;

    const relation = this.#options.shapes.number(shape, this.#batch, transaction.committedAtMicros);
    transaction.sequence ??= this.#batch.nextSequence;
    if (transaction.isContextPending) this.#messages.addContext(transaction);
    const contextNo = contextNumber(transaction);
    const row = this.#batch.beginChange(
      transaction.sequence,
      relation,
      contextNo,
      lsn,
      operation,
      beforeKind,
    );
    const redaction = treatment?.redaction;
    if (redaction) leaveOut(redaction.omitted, before, after);
    const problem =
      this.#writeFields(row, redaction?.shape ?? shape, beforeKind, before, after) ?? this.#rejection();
    if (problem) {
      const { bytes, start, end } = this.#message;
      const message = bytes.subarray(start, end);
      // What is redacted must not be kept beside the log either.
      const kept = redaction ? withheldMessage(message) : Buffer.from(message);
      this.#batch.quarantineChange({ reason: problem, bytes: kept });
      this.#options.onQuarantine(`${shape.document.schema}.${shape.document.table}`, problem);
    } else this.#batch.endChange();
    this.#options.onChange();
  }

  /** Writes `primary_key`, `before` and `after`. Returns why that is not possible, if so. */
  #writeFields(
    row: CopyBuffer,
    shape: TableShape,
    beforeKind: BeforeKind,
    before: Tuple | undefined,
    after: Tuple | undefined,
  ): string | undefined {
    const { start, end } = this.#message;
    if (end - start > this.#options.maximumRowBytes) return 'row-too-large';
    if (this.#options.mayHoldInvalidText(shape) && !(isTextValid(before) && isTextValid(after)))
      return 'invalid-utf-8';
    return writeChangeFields(row, shape, beforeKind, before, after);
  }

  #rejection(): string | undefined {
    const { rejected } = this.#options;
    return rejected.size === 0 ? undefined : rejectedReason(rejected.get(this.#batch.changeDigest()));
  }

  #open(): OpenTransaction {
    if (!this.#transaction) throw new PgoutputError('message', 0, 'a Begin message before it', 'none');
    return this.#transaction;
  }

  /** The same transaction, in whatever generation the log holds it. */
  #recorded({ finalLsn, xid, committedAtMicros }: OpenTransaction): RecordedTransaction | undefined {
    return this.#options.history
      .find(finalLsn)
      .find(
        (recorded) =>
          Number(recorded.xid) === xid && BigInt(recorded.committedAtMicros) === committedAtMicros,
      );
  }

  #reach(lsn: Lsn): void {
    this.#resent.reached(lsn);
    if (lsn > this.#reachedLsn) this.#reachedLsn = lsn;
    if (lsn > this.#safeLsn) this.#safeLsn = lsn;
  }

  #verifyRepeated(transaction: OpenTransaction, endLsn: Lsn): void {
    const same = this.#recorded(transaction);
    if (same) {
      this.#sameLsn = endLsn;
      if (same.generation === this.#options.generation) this.#resent.saw();
      return;
    }
    const recorded = this.#options.history
      .find(transaction.finalLsn)
      .find(({ generation }) => generation === this.#options.generation);
    if (!recorded && transaction.changeCount === 0) return;
    throw historyChanged(
      `The source sends another transaction at ${formatLsn(transaction.finalLsn)} (xid ${transaction.xid}) than the log ` +
        `holds there (${recorded ? `xid ${recorded.xid}` : 'none'})`,
    );
  }
}
