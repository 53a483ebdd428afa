import { CONTEXT_PREFIX } from '@bemi-db/context/message';
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
import { columnUnchanged, type Tuple } from '@bemi-db/replication/tuple';
import type { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { contextDigest } from '@bemi-db/trail/append/rejected-rows';
import type { RecordedTransaction } from '@bemi-db/trail/sources';
import { ACTOR_PREFIX, ActorMemory } from './actor-memory.ts';
import type { ContextAuthenticity, JudgedTransaction } from './authenticity/context-authenticity.ts';
import { nowMicros, timeText } from './clock.ts';
import type { ContextText } from './context-text.ts';
import { DDL_PREFIX, type DdlContent, ddlPayload, readDdl } from './ddl-event.ts';
import { isTextValid } from './invalid-text.ts';
import { findJsonPoison, type JsonPoison } from './json-poison.ts';
import { PROBE_PREFIX, ProbeLimit, probeToken } from './probe.ts';
import type { RecordedHistory } from './recorded-history.ts';
import { historyChanged, ResentHistory } from './resent-history.ts';
import {
  type OldRow,
  onlyMarkedDiffer,
  writeChangedColumns,
  writeIdentity,
  writePrimaryKey,
  writeRow,
} from './row-json.ts';
import type { PeriodRules, RulesInForce } from './rules/rules-in-force.ts';
import type { TableTreatment } from './rules/table-treatment.ts';
import { withheldMessage } from './rules/withheld-message.ts';
import type { ShapeRegistry } from './shape-registry.ts';
import type { TableShape } from './table-shape.ts';
import { ValueFormError } from './value-json.ts';

const trailSchema = 'bemi';

export interface StitcherOptions {
  readonly batch: EntryBatch;
  readonly shapes: ShapeRegistry;
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
  /** Source and audit database are one: the trail's own tables are not recorded. */
  readonly holdsTrail: boolean;
  readonly readContext: (content: Buffer) => ContextText;
  readonly authenticity: ContextAuthenticity;
  /** Whether the rows of a table must be looked at: their text may be no UTF-8. */
  readonly mayHoldInvalidText: (shape: TableShape) => boolean;
  /** A row whose message is larger goes into quarantine. */
  readonly maximumRowBytes: number;
  /** What the audit database would not take when it came before: SQLSTATEs by digest. */
  readonly rejected: ReadonlyMap<string, string>;
  /** Stops the stream, does the work, and lets it go on. */
  readonly suspend: (work: () => Promise<void>) => void;
  /** Asks for a table's catalog entry and defines its shape. */
  readonly lookUp: (relation: Relation, xid: number) => Promise<void>;
  /** A recorded change was added to the batch. */
  readonly onChange: () => void;
  /** A change came that the rules leave out. */
  readonly onLeftOut: () => void;
  /** A source transaction ended; the batch is complete up to here. */
  readonly onTransaction: () => void;
  readonly onQuarantine: (what: string, reason: string) => void;
  /** A DDL message became an entry. */
  readonly onDdl: (ddl: DdlContent, commitLsn: Lsn) => void;
}

/** A source transaction while it is being read. */
interface OpenTransaction extends JudgedTransaction {
  readonly finalLsn: Lsn;
  readonly xid: number;
  /** Those that were in force for it; `undefined` where there were none. */
  readonly rules: PeriodRules | undefined;
  /** It is in the log already: compare, don't record. */
  isRepeated: boolean;
  /** Sequence of its first entry, by which the log knows it. */
  sequence: number | undefined;
  changeCount: number;
  contextCount: number;
  /** The context in force, as it came; the same bytes again change nothing. */
  context: Buffer | undefined;
  /** Whether the context in force is an entry yet. It becomes one when a change needs it. */
  isContextPending: boolean;
  /** What triggers say of who it is. */
  actors: ActorMemory | undefined;
  ddlCount: number;
  /** Token of a probe, to be recorded with its commit. */
  probe: string | undefined;
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
  readonly #probeLimit = new ProbeLimit();
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
    const transaction: OpenTransaction = {
      finalLsn,
      xid,
      committedAtMicros,
      rules: this.#options.rules.at(finalLsn),
      isRepeated,
      sequence: undefined,
      changeCount: 0,
      contextCount: 0,
      context: undefined,
      isContextPending: false,
      actors: undefined,
      ddlCount: 0,
      probe: undefined,
      nonces: undefined,
    };
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
      this.#appendProbe(transaction);
      this.#batch.complete();
      this.#lastFinalLsn = transaction.finalLsn;
      this.#coveredLsn = endLsn;
    } else if (this.#appendProbe(transaction)) {
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
    if (prefix === DDL_PREFIX) this.#ddl(transaction, lsn, content);
    if (transaction.isRepeated) return;
    if (prefix === ACTOR_PREFIX) {
      transaction.actors ??= new ActorMemory(this.#options.readContext);
      transaction.actors.add(content);
    }
    if (prefix !== CONTEXT_PREFIX) {
      if (prefix === PROBE_PREFIX) transaction.probe ??= probeToken(content);
      return;
    }
    if (transaction.context?.equals(content)) return;
    transaction.context = Buffer.from(content);
    transaction.isContextPending = true;
    // Changes or DDL came first: they take this one, so it must be an entry even if none follows.
    if (transaction.contextCount === 0 && (transaction.changeCount > 0 || transaction.ddlCount > 0))
      this.#addContext(transaction);
  }

  /** What the source says that DDL did: an event at its place in the transaction, whatever is wrong with it. */
  #ddl(transaction: OpenTransaction, lsn: Lsn, content: Buffer): void {
    const { holdsTrail, readContext, shapes, onQuarantine, onChange, onDdl } = this.#options;
    const ddl = readDdl(content, readContext);
    if (holdsTrail && ddl.onlySchema === trailSchema) return;
    for (const table of ddl.tables) shapes.told(table);
    if (transaction.isRepeated) return;
    if (transaction.isContextPending) this.#addContext(transaction);
    const payload = ddlPayload(content, ddl, {
      xid: transaction.xid,
      commitLsn: transaction.finalLsn,
      lsn,
      contextNumber: Math.max(transaction.contextCount - 1, 0),
    });
    this.#batch.event('ddl', transaction.committedAtMicros, undefined, payload);
    transaction.ddlCount++;
    if (ddl.reason !== undefined) onQuarantine('ddl', ddl.reason);
    onDdl(ddl, transaction.finalLsn);
    onChange();
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
    if (transaction.isContextPending) this.#addContext(transaction);
    const contextNo = Math.max(transaction.contextCount - 1, 0);
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
    const columnCount = shape.encodings.length;
    if ((before && before.columnCount !== columnCount) || (after && after.columnCount !== columnCount)) {
      throw new PgoutputError(
        'row',
        0,
        `${columnCount} columns`,
        `${before?.columnCount} and ${after?.columnCount}`,
      );
    }
    try {
      const old: OldRow | undefined = before && { tuple: before, isKeyOnly: beforeKind === 'key' };
      if (after) writePrimaryKey(row, shape, after, old);
      else if (before) writePrimaryKey(row, shape, before, undefined);
      else writeNull(row);
      const beforeStart = row.length;
      if (!before) writeNull(row);
      else if (beforeKind === 'key') writeIdentity(row, shape, before);
      else if (after) writeChangedColumns(row, shape, before, after);
      else writeRow(row, shape, before, undefined);
      const afterStart = row.length;
      if (after) writeRow(row, shape, after, old);
      else writeNull(row);
      return shape.mayHoldPoison
        ? (fieldPoison(row, beforeStart, afterStart) ?? fieldPoison(row, afterStart, row.length))
        : undefined;
    } catch (error) {
      if (error instanceof ValueFormError) return error.reason;
      throw error;
    }
  }

  #rejection(): string | undefined {
    const { rejected } = this.#options;
    return rejected.size === 0 ? undefined : rejectedReason(rejected.get(this.#batch.changeDigest()));
  }

  #addContext(transaction: OpenTransaction): void {
    const { rejected, readContext, authenticity, onQuarantine } = this.#options;
    transaction.isContextPending = false;
    transaction.sequence ??= this.#batch.nextSequence;
    const content = transaction.context!;
    const read = readContext(content);
    const reason = read.text
      ? rejected.size > 0 && rejectedReason(rejected.get(contextDigest(read.text)))
      : (read.reason ?? 'not JSON');
    const kept = read.text && !reason ? read.text : { reason: reason || 'not JSON', bytes: content };
    // What can't be shown is nobody's word.
    const word = read.text && !reason ? authenticity.judge(read.text, read.claims, transaction) : 'unsigned';
    this.#batch.context(transaction.sequence, transaction.contextCount, kept, word);
    transaction.contextCount++;
    if (reason) onQuarantine('context', reason);
  }

  /** Records the probe that a transaction carries, with its commit. Returns whether it did. */
  #appendProbe({ probe, finalLsn, committedAtMicros }: OpenTransaction): boolean {
    if (probe === undefined || !this.#probeLimit.take()) return false;
    const committedAt = timeText(committedAtMicros);
    const payload = { event: 'probe', token: probe, lsn: formatLsn(finalLsn), committedAt };
    this.#batch.event('lifecycle', nowMicros(), undefined, JSON.stringify(payload));
    return true;
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

const lengthPrefix = 4;

function rejectedReason(sqlState: string | undefined): string | undefined {
  return sqlState && `rejected-${sqlState}`;
}

/** Whether the rules leave a change out: only where the WAL has the whole old row is it known what differs. */
function isLeftOut(
  { isExcluded, ignored }: TableTreatment,
  beforeKind: BeforeKind,
  before: Tuple | undefined,
  after: Tuple | undefined,
): boolean {
  if (isExcluded) return true;
  if (!ignored || beforeKind !== 'full' || !before || !after) return false;
  return onlyMarkedDiffer(before, after, ignored);
}

/** Marks values as ones that the WAL does not hold, which is how a row is written without them. */
function leaveOut(columns: readonly number[], ...rows: readonly (Tuple | undefined)[]): void {
  for (const row of rows) for (const column of columns) if (row) row.kinds[column] = columnUnchanged;
}

function writeNull(row: CopyBuffer): void {
  row.reserve(lengthPrefix);
  row.null();
}

/** What `jsonb` would reject in the JSON of a field. */
function fieldPoison(row: CopyBuffer, fieldStart: number, fieldEnd: number): JsonPoison | undefined {
  return findJsonPoison(row.bytes, fieldStart + lengthPrefix, fieldEnd);
}
