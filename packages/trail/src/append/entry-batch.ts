import { commitActorFields, encodeFields } from '@bemi-db/proof/commitment';
import { hashOf } from '@bemi-db/proof/hash';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import type { Authenticity, BeforeKind, ChangeHeader, CommitHeader, Operation } from '@bemi-db/proof/record';
import type { FullTile } from '@bemi-db/proof/tile-tree';
import type {
  AppendUnit,
  InboxAnswer,
  Progress,
  QuarantineRow,
  RelationRow,
  Relocation,
} from './append-unit.ts';
import { CopyBuffer } from './copy-buffer.ts';
import { EntryRecord, type Withheld } from './entry-record.ts';
import { LeafHashes } from './leaf-hashes.ts';
import type { LogTree } from './log-tree.ts';
import { textsDigest } from './rejected-rows.ts';
import { SaltPool, saltLength } from './salt.ts';

const changeFields = 12;
const contextFields = 7;
const transactionFields = 14;
const eventFields = 7;
const tileFields = 4;
/** Room for a change's fixed fields, its texts aside. */
const changeHeaderBytes = 160;

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

/** A text that can't be stored, kept as it came. */
export interface QuarantinedText {
  readonly reason: string;
  readonly bytes: Uint8Array;
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
  readonly #tree: LogTree;
  readonly #salts = new SaltPool();
  readonly #leaves = new LeafHashes();
  readonly #record = new EntryRecord();
  /** The change that was begun and is not ended, */
  readonly #change: ChangeHeader = {
    sequence: 0,
    transaction: 0,
    relation: 0,
    lsn: 0n,
    contextNumber: 0,
    operation: 'INSERT',
    beforeKind: 'none',
    quarantined: false,
  };
  /** where the fields of its commitment begin, and where the three that the caller writes. */
  #commitmentStart = 0;
  #fieldsStart = 0;
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
  /** A part was taken: the tree has grown since the last head. */
  #isUnsigned = false;

  /** @param tree - the log's, as it stands in the audit database: the first entry becomes its next leaf. */
  constructor(log: number, tree: LogTree) {
    this.#log = log;
    this.#tree = tree;
    this.#firstSequence = tree.size;
    this.#nextSequence = tree.size;
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
   * is returned: `primary_key`, `before` and `after`; and then calls `endChange` or `quarantineChange`.
   */
  beginChange(
    transaction: number,
    relation: number,
    contextNo: number,
    lsn: bigint,
    operation: Operation,
    beforeKind: BeforeKind,
  ): CopyBuffer {
    const sequence = this.#nextSequence++;
    const row = this.#changes;
    row.beginRow(changeFields, changeHeaderBytes);
    row.int32(this.#log);
    row.int64(relation);
    row.int32(contextNo);
    row.int64(sequence);
    row.int64(transaction);
    row.bigint64(lsn);
    row.constant(beforeKindBytes[beforeKind]);
    const change = this.#change;
    change.sequence = sequence;
    change.transaction = transaction;
    change.relation = relation;
    change.lsn = lsn;
    change.contextNumber = contextNo;
    change.operation = operation;
    change.beforeKind = beforeKind;
    this.#commitmentStart = row.length;
    row.constant(operationBytes[operation]);
    this.#salt(row);
    this.#fieldsStart = row.length;
    return row;
  }

  /** What tells the change that was begun from others, before it is ended: see `RejectedRow`. */
  changeDigest(): string {
    return textsDigest(this.#changes.bytes, this.#fieldsStart, this.#changes.length);
  }

  /** Ends the change that was begun: its leaf is hashed. */
  endChange(): void {
    const { bytes, length } = this.#changes;
    this.#record.change(this.#change, bytes, this.#commitmentStart, length);
    this.#addLeaf();
  }

  /** Ends the change that was begun with its row in quarantine: its three fields become NULL. */
  quarantineChange(text: QuarantinedText): void {
    const row = this.#changes;
    row.length = this.#fieldsStart;
    row.reserve(12);
    row.null();
    row.null();
    row.null();
    this.#quarantine.push({ sequence: this.#change.sequence, field: 'row', ...text });
    this.#record.change(this.#change, row.bytes, this.#commitmentStart, row.length, withheld(text));
    this.#addLeaf();
  }

  /** Adds a context and returns its sequence. One that can't be stored is given as what goes into quarantine. */
  context(
    transaction: number,
    contextNo: number,
    context: Buffer | QuarantinedText,
    authenticity: Authenticity,
  ): number {
    const sequence = this.#nextSequence++;
    const row = this.#contexts;
    row.beginRow(contextFields, 128);
    row.int32(this.#log);
    row.int32(contextNo);
    row.int64(sequence);
    row.int64(transaction);
    const commitmentStart = row.length;
    row.text(authenticity);
    row.reserve(saltLength + 8);
    this.#salt(row);
    const quarantined = context instanceof Uint8Array ? undefined : context;
    if (context instanceof Uint8Array) row.blob(context);
    else row.null();
    if (quarantined) this.#quarantine.push({ sequence, field: 'context', ...quarantined });
    this.#record.context(
      {
        sequence,
        transaction,
        contextNumber: contextNo,
        authenticity,
        quarantined: quarantined !== undefined,
      },
      row.bytes,
      commitmentStart,
      row.length,
      quarantined && withheld(quarantined),
    );
    this.#addLeaf();
    return sequence;
  }

  /**
   * Adds the commit entry, a transaction's last, and gives it its sequence.
   *
   * @param actor - JSON text: what a trigger in the source says of who it was.
   */
  commit(entry: CommitHeader, actor?: Buffer): number {
    const sequence = this.#nextSequence++;
    entry.sequence = sequence;
    entry.hasActor = actor !== undefined;
    const row = this.#transactions;
    row.beginRow(transactionFields, 192);
    row.int32(this.#log);
    row.int32(entry.generation);
    row.int64(sequence);
    row.int64(entry.transaction);
    row.bigint64(entry.commitLsn);
    row.bigint64(entry.endLsn);
    row.bigint64(entry.coveredFromLsn);
    row.bigint64(entry.xid);
    row.bigint64(entry.committedAt);
    row.bigint64(entry.recordedAt);
    row.int64(entry.changeCount);
    row.int32(entry.contextCount);
    if (actor) {
      const salt = this.#salts.take();
      row.blob(salt);
      row.blob(actor);
      // Not the row as it stands, as elsewhere: the word that begins this commitment is no column.
      const fields = encodeFields(commitActorFields(salt, actor));
      this.#record.commit(entry, fields, 0, fields.length);
    } else {
      row.null();
      row.null();
      this.#record.commit(entry);
    }
    this.#addLeaf();
    return sequence;
  }

  /** Adds an event. `payload` is JSON text. */
  event(kind: string, atMicros: bigint, actor: string | undefined, payload: string): number {
    const sequence = this.#nextSequence++;
    const row = this.#events;
    row.beginRow(eventFields, 64);
    row.int32(this.#log);
    row.int64(sequence);
    row.bigint64(atMicros);
    const commitmentStart = row.length;
    row.text(kind);
    row.reserve(saltLength + 8);
    this.#salt(row);
    if (actor === undefined) row.null();
    else row.text(actor);
    row.text(payload);
    this.#record.event({ sequence, at: atMicros, eventKind: kind }, row.bytes, commitmentStart, row.length);
    this.#addLeaf();
    return sequence;
  }

  /** Adds the event that introduces a table's shape, and the row that changes refer to. Returns the event's sequence. */
  relation(row: Omit<RelationRow, 'relation'>, atMicros: bigint): number {
    const relation = this.event('relation', atMicros, undefined, row.document);
    this.#relations.push({ ...row, relation });
    return relation;
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
  takeComplete(progress: Progress, relocation?: Relocation): AppendUnit {
    const boundary = this.#boundary;
    if (!boundary) throw new Error('There is no complete transaction to take');
    const { lengths, rowCounts } = boundary;
    const fullTiles = this.#growTree(boundary.nextSequence);
    const unit: AppendUnit = {
      firstSequence: this.#firstSequence,
      nextSequence: boundary.nextSequence,
      tiles: this.#tileRows(fullTiles),
      fullTiles,
      // An idle position that moves adds no entries: what was signed holds.
      head: boundary.nextSequence > this.#firstSequence || this.#isUnsigned ? this.#tree.head() : undefined,
      changes: this.#changes,
      contexts: this.#contexts,
      transactions: this.#transactions,
      events: this.#events,
      relations: this.#relations.slice(0, boundary.relations),
      quarantine: this.#quarantine.slice(0, boundary.quarantine),
      answers: this.#answers.slice(0, boundary.answers),
      progress,
      ...(relocation ? { relocation } : {}),
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
    this.#isUnsigned = false;
    return unit;
  }

  /** Takes everything, as a part of a source transaction that is still open. Only when nothing complete waits. */
  takePart(): AppendUnit {
    if (this.#boundary) throw new Error('Complete transactions must be taken before a part of an open one');
    const fullTiles = this.#growTree(this.#nextSequence);
    const unit: AppendUnit = {
      firstSequence: this.#firstSequence,
      nextSequence: this.#nextSequence,
      tiles: this.#tileRows(fullTiles),
      fullTiles,
      head: undefined,
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
    this.#isUnsigned = true;
    return unit;
  }

  /** Gives the buffers of a written unit back, to be filled again. */
  recycle(unit: AppendUnit): void {
    for (const buffer of [unit.changes, unit.contexts, unit.transactions, unit.events, unit.tiles]) {
      // One huge row must not keep its memory; a few batches' worth is enough.
      if (buffer.bytes.length > maximumRecycledBytes || this.#free.length >= maximumRecycledBuffers) continue;
      buffer.reset();
      this.#free.push(buffer);
    }
  }

  #addLeaf(): void {
    const at = this.#leaves.add();
    this.#record.hashLeaf(this.#leaves.bytes, at);
  }

  /** Moves the leaves of the entries up to a sequence into the tree. Returns the tiles that became full. */
  #growTree(nextSequence: number): readonly FullTile[] {
    const count = nextSequence - this.#firstSequence;
    const tiles = this.#tree.append(this.#leaves, count);
    this.#leaves.drop(count);
    return tiles;
  }

  #tileRows(tiles: readonly FullTile[]): CopyBuffer {
    const rows = this.#empty();
    for (const { level, index, hashes } of tiles) {
      rows.beginRow(tileFields, 64 + hashes.length);
      rows.int32(this.#log);
      rows.int16(level);
      rows.int64(index);
      rows.blob(hashes);
    }
    return rows;
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

function withheld({ reason, bytes }: QuarantinedText): Withheld {
  return { state: 'quarantined', reason, bytesHash: hashOf(sha256Into, bytes) };
}
