import type { AppendUnit, InboxAnswer, Progress, QuarantineRow, RelationRow } from './append-unit.ts';
import { CopyBuffer } from './copy-buffer.ts';
import { SaltPool, saltLength } from './salt.ts';

export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
export type BeforeKind = 'full' | 'key' | 'none';

const changeFields = 12;
const contextFields = 7;
const transactionFields = 12;
const eventFields = 7;
/** Room for a change's fixed fields, its texts aside. */
const changeHeaderBytes = 160;

/** Column lists of the COPY statements, in the order in which the fields are written below. */
export const copyColumns = {
  change_log:
    'log, relation, context_no, sequence, transaction, lsn, operation, before_kind, salt, primary_key, before, after',
  context_log: 'log, context_no, sequence, transaction, authenticity, salt, context',
  transaction_log:
    'log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn, xid, committed_at, recorded_at, change_count, context_count',
  event_log: 'log, sequence, kind, at, actor, payload, salt',
} as const;

const operationBytes: Record<Operation, Buffer> = {
  INSERT: Buffer.from('INSERT'),
  UPDATE: Buffer.from('UPDATE'),
  DELETE: Buffer.from('DELETE'),
  TRUNCATE: Buffer.from('TRUNCATE'),
};
const beforeKindBytes: Record<BeforeKind, Buffer> = {
  full: Buffer.from('full'),
  key: Buffer.from('key'),
  none: Buffer.from('none'),
};

export interface CommitEntry {
  readonly generation: number;
  readonly commitLsn: bigint;
  readonly endLsn: bigint;
  readonly coveredFromLsn: bigint;
  readonly xid: number;
  /** Microseconds since 2000-01-01 UTC, as all times here. */
  readonly committedAtMicros: bigint;
  readonly recordedAtMicros: bigint;
  readonly changeCount: number;
  readonly contextCount: number;
}

/** Where the last complete source transaction ends in each buffer. */
interface Boundary {
  readonly nextSequence: number;
  readonly lengths: readonly [number, number, number, number];
  readonly rowCounts: readonly [number, number, number, number];
  readonly relations: number;
  readonly quarantine: number;
  readonly answers: number;
}

/**
 * Gathers entries, gives each its sequence, and encodes them for COPY as they come. Entries up to the last
 * complete source transaction (`complete`) are taken together to be committed; those after it wait, or, when
 * they grow large, are taken as parts of an audit transaction that stays open.
 */
export class EntryBatch {
  readonly #log: number;
  readonly #salts = new SaltPool();
  readonly #free: CopyBuffer[] = [];
  #firstSequence: number;
  #nextSequence: number;
  #changes = new CopyBuffer();
  #contexts = new CopyBuffer();
  #transactions = new CopyBuffer();
  #events = new CopyBuffer();
  #relations: RelationRow[] = [];
  #quarantine: QuarantineRow[] = [];
  #answers: InboxAnswer[] = [];
  #boundary: Boundary | undefined;

  constructor(log: number, nextSequence: number) {
    this.#log = log;
    this.#firstSequence = nextSequence;
    this.#nextSequence = nextSequence;
  }

  /** The sequence that the next entry will get. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Changes in complete transactions. */
  get completeChangeCount(): number {
    return this.#boundary?.rowCounts[0] ?? 0;
  }

  get hasComplete(): boolean {
    return this.#boundary !== undefined;
  }

  /** Bytes gathered, complete or not. */
  get byteCount(): number {
    return this.#changes.length + this.#contexts.length + this.#transactions.length + this.#events.length;
  }

  /**
   * Starts a change and gives it the next sequence. The caller writes exactly three fields into the buffer that
   * is returned: `primary_key`, `before` and `after`.
   */
  beginChange(
    transaction: number,
    relation: number,
    contextNo: number,
    lsn: bigint,
    operation: Operation,
    beforeKind: BeforeKind,
  ): CopyBuffer {
    const row = this.#changes;
    row.beginRow(changeFields, changeHeaderBytes);
    row.int32(this.#log);
    row.int32(relation);
    row.int32(contextNo);
    row.int64(this.#nextSequence++);
    row.int64(transaction);
    row.bigint64(lsn);
    row.constant(operationBytes[operation]);
    row.constant(beforeKindBytes[beforeKind]);
    this.#salt(row);
    return row;
  }

  /** Gives up the change that was begun last: its sequence stays, its three fields become NULL. */
  blankChange(row: CopyBuffer, fieldsStart: number): void {
    row.length = fieldsStart;
    row.reserve(12);
    row.null();
    row.null();
    row.null();
  }

  /** Keeps what can't stand in an entry. */
  quarantine(row: QuarantineRow): void {
    this.#quarantine.push(row);
  }

  /** Adds a context and returns its sequence. Without `context` its bytes are in quarantine. */
  context(transaction: number, contextNo: number, context: Buffer | undefined, authenticity: string): number {
    const sequence = this.#nextSequence++;
    const row = this.#contexts;
    row.beginRow(contextFields, 128);
    row.int32(this.#log);
    row.int32(contextNo);
    row.int64(sequence);
    row.int64(transaction);
    row.text(authenticity);
    this.#salt(row);
    if (context) row.blob(context);
    else row.null();
    return sequence;
  }

  /** Adds the commit entry, a transaction's last. */
  commit(transaction: number, entry: CommitEntry): number {
    const sequence = this.#nextSequence++;
    const row = this.#transactions;
    row.beginRow(transactionFields, 160);
    row.int32(this.#log);
    row.int32(entry.generation);
    row.int64(sequence);
    row.int64(transaction);
    row.bigint64(entry.commitLsn);
    row.bigint64(entry.endLsn);
    row.bigint64(entry.coveredFromLsn);
    row.int64(entry.xid);
    row.bigint64(entry.committedAtMicros);
    row.bigint64(entry.recordedAtMicros);
    row.int64(entry.changeCount);
    row.int32(entry.contextCount);
    return sequence;
  }

  /** Adds an event. `payload` is JSON text. */
  event(kind: string, atMicros: bigint, actor: string | undefined, payload: string): number {
    const sequence = this.#nextSequence++;
    const row = this.#events;
    row.beginRow(eventFields, 64);
    row.int32(this.#log);
    row.int64(sequence);
    row.text(kind);
    row.reserve(64);
    row.bigint64(atMicros);
    if (actor === undefined) row.null();
    else row.text(actor);
    row.text(payload);
    row.reserve(saltLength + 4);
    this.#salt(row);
    return sequence;
  }

  /** Adds the event that introduces a table's shape, and the row that changes refer to. Returns the event's sequence. */
  relation(row: Omit<RelationRow, 'sequence'>, atMicros: bigint): number {
    const sequence = this.event('relation', atMicros, undefined, row.document);
    this.#relations.push({ ...row, sequence });
    return sequence;
  }

  /** Notes that a request of the inbox became the event with this sequence. */
  answer(answer: InboxAnswer): void {
    this.#answers.push(answer);
  }

  /** Everything so far may be committed: no source transaction is open. */
  complete(): void {
    this.#boundary = {
      nextSequence: this.#nextSequence,
      lengths: [this.#changes.length, this.#contexts.length, this.#transactions.length, this.#events.length],
      rowCounts: [
        this.#changes.rowCount,
        this.#contexts.rowCount,
        this.#transactions.rowCount,
        this.#events.rowCount,
      ],
      relations: this.#relations.length,
      quarantine: this.#quarantine.length,
      answers: this.#answers.length,
    };
  }

  /**
   * Takes what is complete, to be committed with the position that belongs to it; entries of a transaction that
   * is still open stay. Only when `hasComplete`.
   */
  takeComplete(progress: Progress): AppendUnit {
    const boundary = this.#boundary;
    if (!boundary) throw new Error('There is no complete transaction to take');
    const { lengths, rowCounts } = boundary;
    const unit: AppendUnit = {
      firstSequence: this.#firstSequence,
      nextSequence: boundary.nextSequence,
      changes: this.#changes,
      contexts: this.#contexts,
      transactions: this.#transactions,
      events: this.#events,
      relations: this.#relations.slice(0, boundary.relations),
      quarantine: this.#quarantine.slice(0, boundary.quarantine),
      answers: this.#answers.slice(0, boundary.answers),
      progress,
    };
    this.#changes = this.#tail(this.#changes, lengths[0], rowCounts[0]);
    this.#contexts = this.#tail(this.#contexts, lengths[1], rowCounts[1]);
    this.#transactions = this.#tail(this.#transactions, lengths[2], rowCounts[2]);
    this.#events = this.#tail(this.#events, lengths[3], rowCounts[3]);
    this.#relations = this.#relations.slice(boundary.relations);
    this.#quarantine = this.#quarantine.slice(boundary.quarantine);
    this.#answers = this.#answers.slice(boundary.answers);
    this.#firstSequence = boundary.nextSequence;
    this.#boundary = undefined;
    return unit;
  }

  /** Takes everything, as a part of a source transaction that is still open. Only when nothing complete waits. */
  takePart(): AppendUnit {
    if (this.#boundary) throw new Error('Complete transactions must be taken before a part of an open one');
    const unit: AppendUnit = {
      firstSequence: this.#firstSequence,
      nextSequence: this.#nextSequence,
      changes: this.#changes,
      contexts: this.#contexts,
      transactions: this.#transactions,
      events: this.#events,
      relations: this.#relations,
      quarantine: this.#quarantine,
      answers: this.#answers,
      progress: undefined,
    };
    this.#changes = this.#empty();
    this.#contexts = this.#empty();
    this.#transactions = this.#empty();
    this.#events = this.#empty();
    this.#relations = [];
    this.#quarantine = [];
    this.#answers = [];
    this.#firstSequence = this.#nextSequence;
    return unit;
  }

  /** Gives the buffers of a written unit back, to be filled again. */
  recycle(unit: AppendUnit): void {
    for (const buffer of [unit.changes, unit.contexts, unit.transactions, unit.events]) {
      // One huge row must not keep its memory; a few batches' worth is enough.
      if (buffer.bytes.length > maximumRecycledBytes || this.#free.length >= maximumRecycledBuffers) continue;
      buffer.reset();
      this.#free.push(buffer);
    }
  }

  #tail(buffer: CopyBuffer, length: number, rowCount: number): CopyBuffer {
    return buffer.length === length ? this.#empty() : buffer.splitAt(length, rowCount);
  }

  #empty(): CopyBuffer {
    return this.#free.pop() ?? new CopyBuffer();
  }

  #salt(row: CopyBuffer): void {
    const at = this.#salts.next();
    const { bytes } = row;
    let offset = row.length;
    bytes[offset++] = 0;
    bytes[offset++] = 0;
    bytes[offset++] = 0;
    bytes[offset++] = saltLength;
    const pool = this.#salts.bytes;
    for (let i = 0; i < saltLength; i++) bytes[offset++] = pool[at + i]!;
    row.length = offset;
  }
}

const maximumRecycledBytes = 8 * 1024 * 1024;
const maximumRecycledBuffers = 12;
