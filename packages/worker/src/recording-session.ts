import { setTimeout as delay } from 'node:timers/promises';
import { formatOrigin } from '@bemi-db/proof/origin';
import { formatLsn, type Lsn, parseLsn, zeroLsn } from '@bemi-db/replication/lsn';
import { type ReplicationStream, startReplication } from '@bemi-db/replication/replication-stream';
import type { AppendUnit, Progress } from '@bemi-db/trail/append/append-unit';
import { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { LogWriter } from '@bemi-db/trail/append/log-writer';
import { countTransactions } from '@bemi-db/trail/resent-transactions';
import { recordedTransactions } from '@bemi-db/trail/sources';
import type { Announcements } from './announcements.ts';
import { AppendQueue, type Written } from './append-queue.ts';
import type { LivenessTimings } from './connection-liveness.ts';
import { contextReader } from './context-text.ts';
import { CoverageWatch } from './coverage/coverage-watch.ts';
import type { FailpointHook } from './failpoints.ts';
import { shouldConfirmIdle } from './idle-confirm.ts';
import { invalidTextSuspicion } from './invalid-text.ts';
import { during, explainProblem, ProblemError } from './problem.ts';
import { Publisher } from './publication/publisher.ts';
import { RecentTiles } from './publication/recent-tiles.ts';
import {
  type BeforeRecordingOptions,
  type ReadBeforeRecording,
  readBeforeRecording,
} from './read-before-recording.ts';
import { RecordedHistory } from './recorded-history.ts';
import { findRejected } from './rejected-unit.ts';
import type { DueRules } from './rules/judge-rules.ts';
import { SessionEvents } from './session-events.ts';
import type { ShapeRegistry } from './shape-registry.ts';
import { lookUpTable } from './source-catalog.ts';
import { statusIntervalMs } from './status-interval.ts';
import { Stitcher } from './stitcher.ts';
import { Upkeep } from './upkeep.ts';
import type { WorkerCounters } from './worker-status.ts';

export interface RecordingOptions extends BeforeRecordingOptions {
  readonly bufferSize: number;
  readonly maximumRowBytes: number;
  /** Between two events that say that the worker is there. */
  readonly aliveIntervalMs: number;
  /** How long everything is kept, if the worker was told. */
  readonly retentionDays: number | undefined;
  /** Between two looks at what has expired. */
  readonly retentionIntervalMs: number;
  /** Between two looks at what of the source is recorded; `undefined`: none. */
  readonly coverageIntervalMs: number | undefined;
  readonly liveness: LivenessTimings;
  readonly announcements: Announcements;
  readonly signal: AbortSignal;
  readonly counters: WorkerCounters;
  /** What the audit database would not take: SQLSTATEs by digest. What is found is added, for the next session. */
  readonly rejected: Map<string, string>;
  readonly failpoint: FailpointHook | undefined;
}

const historyPageSize = 5_000;
const idleTickMs = 1_000;
const drainTickMs = 50;
/** How long a worker that drains waits until what was asked for is done. */
const inboxPatienceMs = 10_000;
/** How long the finished transactions may take to be committed when the worker is told to stop. */
const stopTimeoutMs = 5_000;
/** How long other work on the audit database may take to end when the session does. */
const endTimeoutMs = 1_000;
/** How long publishing may take then. The last checkpoint comes first; tiles that are left wait for the next start. */
const publicationPatienceMs = 500;

/**
 * Records until it is told to stop, or everything is drained; throws a ProblemError when either side fails.
 *
 * receive → stitch → append → confirm: the socket's data goes through the decoder and the stitcher into the batch as it
 * arrives; the queue writes the batch; only what is committed in the audit database is confirmed to the slot.
 */
export async function record(options: RecordingOptions): Promise<void> {
  const recording = new Recording(options, await readBeforeRecording(options));
  await recording.untilDone();
}

class Recording {
  readonly #options: RecordingOptions;
  readonly #batch: EntryBatch;
  readonly #writer: LogWriter;
  readonly #queue: AppendQueue;
  readonly #stitcher: Stitcher;
  readonly #upkeep: Upkeep;
  readonly #recentTiles = new RecentTiles();
  readonly #publisher: Publisher;
  readonly #shapes: ShapeRegistry;
  readonly #events: SessionEvents;
  readonly #coverage: CoverageWatch | undefined;
  readonly #dueRules: DueRules | undefined;
  readonly #pauses = new Set<'look-up' | 'pressure' | 'stopping'>();
  readonly #drainTarget: Lsn | undefined;
  #settling: Promise<void> | undefined;
  #stream: ReplicationStream | undefined;
  /** The source's side has ended: what is complete is still written, and nothing is added. */
  #isFailing = false;
  #confirmedLsn: Lsn;
  #lastCommitAtMs = Number.NEGATIVE_INFINITY;
  /** The source's clock when it last spoke. */
  #sourceMicros: bigint | undefined;
  #touchDueAtMs = 0;
  #finish: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  readonly #done: Promise<void>;

  constructor(options: RecordingOptions, read: ReadBeforeRecording) {
    const { shapes, drainTarget, contextKeys, authenticity, retention, rules, rulesJudge, dueRules } = read;
    this.#options = options;
    this.#shapes = shapes;
    this.#dueRules = dueRules;
    this.#drainTarget = drainTarget;
    const { session, failpoint } = options;
    const { state } = session;
    this.#confirmedLsn = parseLsn(state.confirmedLsn);
    this.#done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.#done.catch(() => undefined);
    const failAtAudit = (error: unknown) => this.#failAtAudit(error);

    this.#batch = new EntryBatch(state.log, session.tree.tree);
    this.#events = new SessionEvents({
      session,
      targets: options.targets,
      batch: this.#batch,
      contextKeys,
      rules,
      rulesJudge,
      nextFinalLsn: () => this.#stitcher.nextFinalLsn,
      retention,
      retentionDays: options.retentionDays,
      fromLsn: this.#confirmedLsn,
      aliveIntervalMs: options.aliveIntervalMs,
      announcements: options.announcements,
      isInTransaction: () => this.#isFailing || this.#stitcher.isInTransaction,
      flush: () => this.#queue.flushIfIdle(),
      fail: (error) => this.#fail(error),
      logger: options.logger,
    });
    const { coverageIntervalMs } = options;
    this.#coverage =
      coverageIntervalMs === undefined
        ? undefined
        : new CoverageWatch({
            source: session.sourceSql.client,
            audit: session.reading.client,
            log: state.log,
            publication: options.targets.publication,
            intervalMs: coverageIntervalMs,
            aliveIntervalMs: options.aliveIntervalMs,
            rules: () => rules.current && { sequence: rules.current.sequence, rules: rules.rules },
            append: (payloads) => this.#events.appendTogether('coverage', payloads),
            safeLsn: () => this.#stitcher.safeLsn,
            unexplained: options.counters.coverageLosses,
            logger: options.logger,
          });
    this.#writer = new LogWriter({
      client: session.writer.client,
      log: state.log,
      epoch: session.epoch,
    });
    this.#upkeep = new Upkeep({
      connection: session.upkeep,
      log: state.log,
      logId: state.logId,
      contextKeys,
      rulesJudge,
      retention,
      retentionIntervalMs: options.retentionIntervalMs,
      logger: options.logger,
      nextSequence: () => this.#batch.nextSequence,
      isBusy: () => this.#queue.isBusy,
      isInTransaction: () => this.#stitcher.isInTransaction,
      onRequests: (requests) => this.#events.appendRequests(requests),
      onError: failAtAudit,
    });
    this.#queue = new AppendQueue({
      batch: this.#batch,
      writer: this.#writer,
      bufferSize: options.bufferSize,
      progress: () => this.#progress(),
      makeRoom: (nextSequence) => this.#upkeep.makeRoom(nextSequence),
      failpoint,
      confirmEarly: ({ confirmedLsn }) => this.#stream?.confirm(parseLsn(confirmedLsn)),
      onDurable: (progress, unit, written) => this.#confirm(progress, unit, written),
      onPressure: (isFull) => (isFull ? this.#pause('pressure') : this.#resume('pressure')),
      onError: (error, unit) => {
        this.#pause('stopping');
        const { rejected } = options;
        findRejected(error, { unit, client: session.writer.client, rejected }).then(failAtAudit, failAtAudit);
      },
    });
    this.#publisher = new Publisher({
      targets: options.targets.publicationTargets,
      origin: formatOrigin(state),
      fullTiles: session.auditReader.fullTiles,
      ownTiles: this.#recentTiles,
      records: session.auditReader.records,
      isBusy: () => this.#queue.isBusy,
      logger: options.logger,
    });
    if (session.tree.head) this.#publisher.offer(session.tree.head);
    options.counters.publication = () => this.#publisher.status();
    options.counters.readLog = (path) => session.auditReader.resource(path);
    this.#stitcher = new Stitcher({
      batch: this.#batch,
      shapes,
      rules,
      history: new RecordedHistory((fromLsn) =>
        recordedTransactions(session.upkeep.client, state.log, formatLsn(fromLsn), historyPageSize),
      ),
      generation: state.generation,
      lastFinalLsn: parseLsn(state.lastFinalLsn),
      previousFinalLsn: parseLsn(state.previousFinalLsn),
      coveredLsn: parseLsn(state.coveredLsn),
      safeLsn: this.#confirmedLsn,
      holdsTrail: session.isSameDatabase,
      readContext: contextReader(session.snapshot.server.encoding),
      authenticity,
      mayHoldInvalidText: invalidTextSuspicion(session.snapshot.server),
      maximumRowBytes: options.maximumRowBytes,
      rejected: options.rejected,
      suspend: (work) => this.#suspend(work),
      lookUp: async (relation, xid) => {
        await failpoint?.('look-up:before');
        this.#shapes.define(relation, await lookUpTable(session.sourceSql.client, relation, xid));
        await failpoint?.('look-up:after');
      },
      onChange: () => this.#queue.changeAdded(),
      onLeftOut: () => {
        options.counters.leftOut++;
      },
      onTransaction: () => this.#queue.transactionComplete(),
      onDdl: (ddl, commitLsn) => this.#coverage?.ddl(ddl, commitLsn),
      onQuarantine: (what, reason) => {
        options.counters.quarantined++;
        options.logger.warn({ what, reason }, 'Kept in quarantine what the audit database would reject');
      },
    });
  }

  async untilDone(): Promise<void> {
    const { session, signal, isDraining, counters } = this.#options;
    const abort = () => this.#finish();
    let ticker: NodeJS.Timeout | undefined;
    try {
      await this.#upkeep.start();
      this.#events.appendStart(this.#dueRules);
      this.#queue.flush();
      // Keys that were asked for while no worker ran count for what is sent now.
      await this.#upkeep.readInbox();
      await this.#coverage?.start();
      this.#stream = this.#startStream();
      counters.confirmedLsn = formatLsn(this.#confirmedLsn);
      this.#stream.ended.catch((error) => void this.#failAtStream(error));
      for (const connection of [session.writer, session.upkeep, session.reading]) {
        connection.lost.catch((error) =>
          this.#fail(new ProblemError(explainProblem(error, session.attempt('audit', 'write')), error)),
        );
      }
      session.sourceSql.lost.catch((error) => this.#failAtSource(error));
      ticker = setInterval(() => this.#tick(), isDraining ? drainTickMs : idleTickMs);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      await this.#done;
      clearInterval(ticker);
      await this.#stop();
    } catch (error) {
      throw new ProblemError(explainProblem(error, session.attempt('audit', 'write')), error);
    } finally {
      this.#coverage?.stop();
      clearInterval(ticker);
      signal.removeEventListener('abort', abort);
      // Where one of them waits for a lock, or for a server that is gone, closing its connection ends it.
      const ended = Promise.all([this.#upkeep.stop(), this.#publisher.stop()]);
      await Promise.race([ended, delay(endTimeoutMs, undefined, { ref: false })]);
    }
  }

  #startStream(): ReplicationStream {
    const { session, targets, isDraining, counters, liveness } = this.#options;
    return startReplication({
      client: session.replication.client,
      slot: targets.slot,
      publications: [targets.publication],
      messages: counters.hasContext,
      statusIntervalMs: statusIntervalMs(session.walSenderTimeoutMs, liveness.askAfterMs, isDraining),
      onStart: () => this.#suspend(() => this.#takeSlot()),
      onMessage: (lsn, bytes, start, end) => this.#stitcher.receive(lsn, bytes, start, end),
      onKeepalive: (walEnd, serverTimeMicros) => {
        this.#sourceMicros = serverTimeMicros;
        this.#stitcher.keepalive(walEnd);
      },
      onDrained: () => {
        this.#tellSlot();
        this.#queue.flushIfIdle();
      },
    });
  }

  /**
   * The slot is ours, and nobody else moves it any more. It sends what comes after its position again: what of that is
   * recorded has to come.
   */
  async #takeSlot(): Promise<void> {
    const { sourceSql, reading, slot, state, attempt } = this.#options.session;
    const { rows } = await sourceSql.client.query<{ lsn: string }>(
      'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [slot],
    );
    const fromLsn = rows[0]?.lsn ?? state.confirmedLsn;
    const { log, generation, lastFinalLsn } = state;
    const count = await during(attempt('audit', 'write'), () =>
      countTransactions(reading.client, log, generation, fromLsn, lastFinalLsn),
    );
    this.#stitcher.expectAgain(count);
  }

  /**
   * Tells the slot what is durable, but nothing that the source has not yet sent in this session. A source that was
   * restored from an older copy is only known by what it sends again: if its slot were moved past that first, the next
   * session would see nothing wrong. While it sends again what is recorded, the slot follows from one transaction that is
   * the same to the next: sessions that end soon get on all the same.
   */
  #tellSlot(): void {
    const { reachedLsn, sameLsn } = this.#stitcher;
    const toLsn = this.#confirmedLsn <= reachedLsn ? this.#confirmedLsn : sameLsn;
    if (toLsn > zeroLsn && toLsn <= this.#confirmedLsn) this.#stream?.confirm(toLsn);
  }

  #failAtAudit(error: unknown): void {
    const attempt = this.#options.session.attempt('audit', 'write');
    this.#fail(new ProblemError(explainProblem(error, attempt), error));
  }

  #failAtSource(error: unknown): void {
    this.#tellSlot();
    this.#fail(
      new ProblemError(explainProblem(error, this.#options.session.attempt('source', 'stream')), error),
    );
  }

  /**
   * As above, of the stream itself: what it was sending is what the server may not be able to send. What came before it
   * is stored first. The server would send it again; but it may fail each time before the audit database has answered.
   */
  async #failAtStream(error: unknown): Promise<void> {
    this.#isFailing = true;
    const { sending } = this.#stitcher;
    const attempt = this.#options.session.attempt('source', 'stream');
    const problem = explainProblem(error, { ...attempt, ...(sending ? { sending } : {}) });
    this.#queue.flush();
    await Promise.race([this.#queue.drained(), delay(stopTimeoutMs, undefined, { ref: false })]);
    this.#fail(new ProblemError(problem, error));
  }

  #progress(): Progress {
    return {
      lastFinalLsn: formatLsn(this.#stitcher.lastFinalLsn),
      confirmedLsn: formatLsn(this.#stitcher.safeLsn),
      timeline: this.#options.session.system.timeline,
    };
  }

  /** The one place that tells the slot to let go: after COMMIT, and only of what that commit holds. */
  async #confirm(progress: Progress, unit: AppendUnit, { changes, ms }: Written): Promise<void> {
    const { counters, failpoint, announcements } = this.#options;
    this.#confirmedLsn = parseLsn(progress.confirmedLsn);
    this.#lastCommitAtMs = performance.now();
    counters.transactions += unit.transactions.rowCount;
    counters.changes += changes;
    counters.auditTransactions++;
    counters.auditSeconds += ms / 1000;
    announcements.durable(unit.nextSequence);
    counters.lastCommitAt = new Date();
    counters.confirmedLsn = progress.confirmedLsn;
    if (unit.quarantine.length > 0) this.#options.rejected.clear(); // what was rejected is recorded
    await failpoint?.('confirm:before');
    // Remembered outside of the audit database before the source may forget it.
    if (unit.head) {
      this.#options.session.tree.lastSigned.write(unit.head.checkpoint);
      this.#recentTiles.add(unit.fullTiles);
      this.#publisher.offer(unit.head);
    }
    this.#tellSlot();
    await failpoint?.('confirm:after');
  }

  /** Now and then: what happens when nothing arrives. */
  #tick(): void {
    if (this.#isFailing) return;
    const { counters, session, isDraining } = this.#options;
    if (this.#stream) counters.receivedLsn = formatLsn(this.#stream.receivedLsn);
    this.#tellSlot();
    this.#events.appendAnnouncements();
    this.#coverage?.tick();
    void this.#events.considerConfiguredRules(this.#options.configuredRules());
    void this.#events.appendAliveIfDue(this.#sourceMicros, () => this.#stitcher.safeLsn);
    if (this.#queue.isIdle) this.#showLife();
    if (this.#stitcher.isInTransaction || !this.#queue.isIdle) return;
    if (this.#drainTarget !== undefined && this.#confirmedLsn >= this.#drainTarget) {
      this.#settling ??= this.#settle();
      return;
    }
    const isDue = shouldConfirmIdle({
      safeLsn: this.#stitcher.safeLsn,
      confirmedLsn: this.#confirmedLsn,
      sinceLastCommitMs: performance.now() - this.#lastCommitAtMs,
      isSameCluster: session.isSameCluster,
      isDraining,
    });
    if (isDue) this.#batch.complete();
    this.#queue.flushIfIdle();
  }

  /** Everything is recorded: what was asked for by the inbox is answered too, where one request waits for another. */
  async #settle(): Promise<void> {
    const { signal, logger } = this.#options;
    const untilMs = performance.now() + inboxPatienceMs;
    try {
      while (!(await this.#upkeep.readInbox())) {
        if (performance.now() > untilMs) {
          logger.warn({}, 'Not all that was asked for is done yet: the next worker goes on with it');
          break;
        }
        await delay(drainTickMs, undefined, { signal });
      }
      this.#finish();
    } catch (error) {
      if (!signal.aborted) this.#failAtAudit(error);
    }
  }

  /** To workers that wait for the log. */
  #showLife(): void {
    const nowMs = performance.now();
    if (nowMs < this.#touchDueAtMs) return;
    this.#touchDueAtMs = nowMs + this.#options.liveness.askAfterMs;
    void this.#writer.touch();
  }

  /** Finished transactions are committed, the unfinished one is rolled back. */
  async #stop(): Promise<void> {
    this.#options.counters.state = 'stopping';
    this.#pause('stopping');
    this.#coverage?.stop();
    this.#events.appendStop();
    this.#queue.flush();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, stopTimeoutMs);
    });
    const orderly = async (): Promise<void> => {
      await this.#queue.drained();
      await this.#writer.rollback();
      await this.#stream?.stop();
      await Promise.all([this.#upkeep.finish(), this.#publisher.flush(publicationPatienceMs)]);
    };
    await Promise.race([orderly().catch(() => undefined), timeout]);
    clearTimeout(timer);
  }

  /** Holds the stream, also in the middle of what has arrived, until the work is done. */
  #suspend(work: () => Promise<void>): void {
    this.#pause('look-up');
    work().then(
      () => this.#resume('look-up'),
      (error) => this.#failAtSource(error),
    );
  }

  #pause(reason: 'look-up' | 'pressure' | 'stopping'): void {
    this.#pauses.add(reason);
    this.#stream?.pause();
  }

  #resume(reason: 'look-up' | 'pressure'): void {
    this.#pauses.delete(reason);
    if (this.#pauses.size === 0) this.#stream?.resume();
  }
}
