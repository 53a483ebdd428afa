import type { AppendUnit, Progress } from '@bemi-db/trail/append/append-unit';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import type { LogWriter } from '@bemi-db/trail/append/log-writer';
import type { FailpointHook } from './failpoints.ts';

export interface AppendQueueOptions {
  readonly batch: EntryBatch;
  readonly writer: LogWriter;
  /** Changes in an audit transaction before it is committed (BEMI_BUFFER_SIZE). */
  readonly bufferSize: number;
  /** How far the source is recorded once everything that is complete now is durable. */
  readonly progress: () => Progress;
  /** Makes sure that there are partitions up to this sequence. */
  readonly makeRoom: (nextSequence: number) => Promise<void>;
  readonly failpoint: FailpointHook | undefined;
  /** For a failpoint: tells the slot of what is not durable yet. */
  readonly confirmEarly: (progress: Progress) => void;
  /** A unit is committed, with the parts before it. */
  readonly onDurable: (progress: Progress, unit: AppendUnit, written: Written) => Promise<void>;
  /** The queue is too full, or has room again. */
  readonly onPressure: (isFull: boolean) => void;
  /** Nothing is written any more. `unit` is what could not be, where that is known. */
  readonly onError: (error: unknown, unit: AppendUnit | undefined) => void;
}

/** What an audit transaction held, and how long it took from when its last part was sent. */
export interface Written {
  readonly changes: number;
  readonly ms: number;
}

/** Audit transactions on their way to the server: while one is committed, the next is already being sent. */
const unitsInFlight = 2;
/** A source transaction larger than this is written in parts, within one audit transaction. */
const partBytes = 4 * 1024 * 1024;
const fullBytes = 12 * 1024 * 1024;
const roomyBytes = 4 * 1024 * 1024;

/**
 * Decides when what has gathered is written, and writes it in order:
 * - at once when the writer is idle: alone, a change is durable after one commit;
 * - while the writer is busy entries gather, up to `bufferSize` changes a unit, and a full unit is sent behind the one
 *   that is being written: the fence holds it back if that one fails;
 * - a source transaction that grows beyond a few MB goes out in parts. The audit transaction then stays open, so what
 *   was complete before it is committed first, by itself;
 * - when too much waits, the stream is told to pause.
 */
export class AppendQueue {
  readonly #options: AppendQueueOptions;
  readonly #units: AppendUnit[] = [];
  #waitingBytes = 0;
  /** In parts that are written. */
  #uncommittedChanges = 0;
  #isWriting = false;
  #isFull = false;
  #hasFailed = false;
  /** The first that the writer could not write. */
  #failedUnit: AppendUnit | undefined;
  #idle: (() => void)[] = [];

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return !this.#isWriting && this.#units.length === 0;
  }

  /** Whether more waits than is being written. */
  get isBusy(): boolean {
    return this.#units.length > 0;
  }

  /** A change was added: writes parts of a transaction that grows large. */
  changeAdded(): void {
    const { batch } = this.#options;
    if (batch.byteCount < partBytes) return;
    if (batch.hasComplete) this.#enqueueComplete();
    if (batch.byteCount >= partBytes) this.#enqueue(batch.takePart());
  }

  /** A source transaction is complete: writes when enough has gathered. */
  transactionComplete(): void {
    if (this.#options.batch.completeChangeCount >= this.#options.bufferSize) this.#enqueueComplete();
  }

  /** Nothing more has arrived for now: writes what there is, unless the writer is busy and will come for it. */
  flushIfIdle(): void {
    if (this.isIdle && this.#options.batch.hasComplete) this.#enqueueComplete();
  }

  /** Writes everything that is complete. */
  flush(): void {
    if (this.#options.batch.hasComplete) this.#enqueueComplete();
  }

  /** Resolves when nothing is being written and nothing waits, or when writing has failed. */
  drained(): Promise<void> {
    if (this.isIdle || this.#hasFailed) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #enqueueComplete(): void {
    this.#enqueue(this.#options.batch.takeComplete(this.#options.progress()));
  }

  #enqueue(unit: AppendUnit): void {
    this.#units.push(unit);
    this.#waitingBytes += unitBytes(unit);
    if (!this.#isFull && this.#waitingBytes > fullBytes) {
      this.#isFull = true;
      this.#options.onPressure(true);
    }
    if (!this.#isWriting) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    const { makeRoom, failpoint, confirmEarly, onError } = this.#options;
    const inFlight: Promise<void>[] = [];
    let last = Promise.resolve();
    this.#failedUnit = undefined;
    try {
      for (;;) {
        const unit = this.#next(inFlight.length > 0);
        if (unit) {
          await makeRoom(unit.nextSequence);
          await failpoint?.(`${stepOf(unit)}:before`, {
            confirm: () => unit.progress && confirmEarly(unit.progress),
          });
          last = this.#append(unit, last);
          last.catch(() => undefined); // it is awaited below, perhaps only after another one
          inFlight.push(last);
          if (inFlight.length < unitsInFlight) continue;
        }
        if (inFlight.length === 0) break;
        await inFlight.shift();
      }
      this.#isWriting = false;
    } catch (error) {
      this.#hasFailed = true; // and stays "writing": nothing may be written after what failed
      // What was sent behind it fails too, by the server's answer or with the connection.
      if (this.#failedUnit) await Promise.allSettled(inFlight);
      onError(error, this.#failedUnit);
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** What to send next. Behind a unit that is on its way only a full one: what is less goes on gathering meanwhile. */
  #next(isWaiting: boolean): AppendUnit | undefined {
    if (this.#units.length === 0 && !isWaiting && this.#options.batch.hasComplete) this.#enqueueComplete();
    return this.#units.shift();
  }

  /** Resolves when the unit, and all `before` it, is written and told of. */
  async #append(unit: AppendUnit, before: Promise<void>): Promise<void> {
    const { batch, writer, failpoint, onDurable, onPressure } = this.#options;
    const bytes = unitBytes(unit);
    const sentAtMs = performance.now();
    const written = writer.append(unit);
    written.catch(() => {
      this.#failedUnit ??= unit;
    });
    await Promise.all([before, written]);
    await failpoint?.(`${stepOf(unit)}:after`);
    this.#waitingBytes -= bytes;
    this.#uncommittedChanges += unit.changes.rowCount;
    if (unit.progress) {
      const changes = this.#uncommittedChanges;
      this.#uncommittedChanges = 0;
      await onDurable(unit.progress, unit, { changes, ms: performance.now() - sentAtMs });
    }
    batch.recycle(unit);
    if (this.#isFull && this.#waitingBytes < roomyBytes) {
      this.#isFull = false;
      onPressure(false);
    }
  }
}

function stepOf(unit: AppendUnit): 'append' | 'commit' {
  return unit.progress ? 'commit' : 'append';
}

function unitBytes(unit: AppendUnit): number {
  const quarantined = unit.quarantine.reduce((sum, row) => sum + row.bytes.length, 0);
  return (
    unit.changes.length + unit.contexts.length + unit.transactions.length + unit.events.length + quarantined
  );
}
