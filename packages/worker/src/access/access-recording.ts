import { encodeBase64 } from '@bemi-db/proof/base64';
import { formatOrigin } from '@bemi-db/proof/origin';
import { accessLogName } from '@bemi-db/trail/access/access-log';
import { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { LogWriter } from '@bemi-db/trail/append/log-writer';
import { type InboxRequest, openRequests, refuseRequest, requestPage } from '@bemi-db/trail/inbox';
import { extendPartitions } from '@bemi-db/trail/partitions';
import { nowMicros } from '../clock.ts';
import { effectOf } from '../inbox-requests.ts';
import type { Logger } from '../logger.ts';
import { ProblemError } from '../problem.ts';
import { AuditReader } from '../publication/audit-reader.ts';
import type { PublicationTarget } from '../publication/publication-target.ts';
import { Publisher } from '../publication/publisher.ts';
import { RecentTiles } from '../publication/recent-tiles.ts';
import type { Witness } from '../publication/witness.ts';
import { RetentionSettings } from '../retention/retention-settings.ts';
import { keyRequestProblem } from '../signing/key-request.ts';
import { loadSigningKey, type SigningKeySource } from '../signing/signing-key.ts';
import { requestExpiry } from './expired-accesses.ts';
import { judgeAccessRequest } from './judge-access-request.ts';
import type { AccessSession } from './open-access-session.ts';

export interface AccessRecordingOptions {
  readonly session: AccessSession;
  readonly signing: SigningKeySource;
  readonly publicationTargets: readonly (PublicationTarget | Witness)[];
  /** How long accesses are kept, if the worker was told. */
  readonly retentionDays: number | undefined;
  /** Between two looks at what has expired. */
  readonly retentionIntervalMs: number;
  /** What the process has to say of itself, first. */
  readonly startEvent: object | undefined;
  readonly isDraining: boolean;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** An audit transaction is committed. */
  readonly onDurable: (entries: number) => void;
  /** Reads what is served of the log, for as long as the session lasts. */
  readonly onReader: (reader: AuditReader) => void;
}

/** Where nobody has told: how often the inbox is read all the same. */
const pollMs = 10_000;
/** Partitions are extended when this many sequences are left. */
const roomWanted = 1_000_000;
const publicationPatienceMs = 500;
/** A log without a source stands nowhere in its WAL. */
export const nowhere = { lastFinalLsn: '0/0', confirmedLsn: '0/0', timeline: 0 };

/**
 * Turns requests into entries of the log of accesses until the signal comes, or, draining, until none is left. Everything
 * is done in turn, on one connection: read what waits, append it in one audit transaction, in which each request is
 * answered; so each becomes one entry, whatever happens in between.
 */
export async function recordAccesses(options: AccessRecordingOptions): Promise<void> {
  await (await AccessRecording.start(options)).untilDone();
}

class AccessRecording {
  readonly #options: AccessRecordingOptions;
  readonly #batch: EntryBatch;
  readonly #writer: LogWriter;
  readonly #publisher: Publisher;
  readonly #recentTiles = new RecentTiles();
  readonly #retention = new RetentionSettings();
  #committed: number;
  #room = 0;
  #expiryDueAtMs: number;
  #expiredUpTo = 0;

  static async start(options: AccessRecordingOptions): Promise<AccessRecording> {
    const recording = new AccessRecording(options);
    const { writer, end } = options.session;
    await recording.#retention.load(writer.client, end.log);
    return recording;
  }

  private constructor(options: AccessRecordingOptions) {
    this.#options = options;
    const { writer, reading, end, epoch, tree } = options.session;
    this.#expiryDueAtMs = performance.now() + options.retentionIntervalMs;
    this.#batch = new EntryBatch(end.log, tree.tree);
    this.#committed = this.#batch.nextSequence;
    this.#writer = new LogWriter({ client: writer.client, log: end.log, epoch });
    const reader = new AuditReader(reading, end.log);
    this.#publisher = new Publisher({
      targets: options.publicationTargets,
      origin: formatOrigin(end),
      fullTiles: reader.fullTiles,
      ownTiles: this.#recentTiles,
      records: reader.records,
      logger: options.logger,
    });
    if (tree.head) this.#publisher.offer(tree.head);
    options.onReader(reader);
  }

  async untilDone(): Promise<void> {
    const { session, signal, isDraining } = this.#options;
    try {
      this.#appendStart();
      await this.#commit();
      for (;;) {
        while (await this.#readInbox()) if (signal.aborted) break;
        if (signal.aborted || isDraining) break;
        if (await this.#requestExpiry()) continue;
        const mostMs = Math.min(pollMs, this.#options.retentionIntervalMs);
        await session.bell.next(mostMs, signal, [session.writer, session.reading]);
      }
      if (!isDraining) {
        this.#append('lifecycle', { event: 'stopped' });
        await this.#commit();
      }
      await this.#publisher.flush(publicationPatienceMs);
    } finally {
      await this.#publisher.stop();
    }
  }

  #appendStart(): void {
    const { session, retentionDays, startEvent, logger } = this.#options;
    const { tree, end } = session;
    if (tree.isNew) {
      const { logId, generation } = end;
      const created = { event: 'created', logId, name: accessLogName, generation, completeFromLsn: '0/0' };
      this.#append('lifecycle', created);
      this.#append('key', { event: 'created', publicKey: tree.publicKey });
    }
    // A new key signs from here on, so the log says so first.
    if (tree.keyRequest) this.#appendRequest(tree.keyRequest, tree.keyRequest.payload);
    const period = this.#retention.startEvent(retentionDays, logger);
    if (period) {
      this.#append('config', period);
      this.#retention.apply(JSON.stringify(period));
    }
    if (startEvent) this.#append('lifecycle', startEvent);
  }

  /** Makes entries of what waits, oldest first. Returns whether there may be more. */
  async #readInbox(): Promise<boolean> {
    const { client } = this.#options.session.writer;
    const { log } = this.#options.session.end;
    let isProgress = false;
    // From the first on, each time: ids are not committed in their order.
    for (let after = '0', isLast = false; !isLast; ) {
      const requests = await openRequests(client, log, after);
      for (const request of requests) {
        isProgress = (await this.#consider(request)) || isProgress;
        after = request.id;
      }
      await this.#commit();
      isLast = requests.length < requestPage;
    }
    return isProgress;
  }

  /** Returns whether the request is answered. */
  async #consider(request: InboxRequest): Promise<boolean> {
    const { session, logger } = this.#options;
    const { client } = session.writer;
    const { log } = session.end;
    if (request.kind === 'key') return await this.#considerKey(request);
    const judged = await judgeAccessRequest(client, log, request, this.#retention, await this.#leastClock());
    if ('refusal' in judged) {
      logger.warn(
        { request: request.id, refusal: judged.refusal },
        'A request to the log of accesses was refused',
      );
      await refuseRequest(client, log, request.id, judged.refusal);
    } else this.#appendRequest(request, judged.payload);
    return true;
  }

  /** Another key takes effect with the next session, where the worker has that key; until then the request waits. */
  async #considerKey(request: InboxRequest): Promise<boolean> {
    const { session, signing } = this.#options;
    const { client } = session.writer;
    const { log, logId } = session.end;
    const currentKey = Buffer.from(session.tree.publicKey, 'base64');
    const problem = await keyRequestProblem(request, { logId, currentKey });
    if (problem !== undefined) {
      await refuseRequest(client, log, request.id, problem);
      return true;
    }
    const key = loadSigningKey(signing);
    const { publicKey } = JSON.parse(request.payload) as { publicKey: string };
    if (!key || encodeBase64(key.publicKey) !== publicKey) return false;
    await this.#commit();
    const message = 'The key that signs the log of accesses is another one from here on';
    const fix = 'Nothing to do: the worker starts over with it.';
    throw new ProblemError({ code: 'signing-key-changed', message, fix, kind: 'retry' });
  }

  #append(kind: string, payload: object): void {
    this.#batch.event(kind, nowMicros(), undefined, JSON.stringify(payload));
  }

  #appendRequest({ id, kind, actor }: InboxRequest, payload: string): void {
    const sequence = this.#batch.event(kind, nowMicros(), actor, payload);
    if (kind === 'config') this.#retention.apply(payload);
    this.#batch.answer({ id, sequence, ...effectOf(kind, payload) });
  }

  /** Entries become durable, are remembered outside of the audit database, and then published. */
  async #commit(): Promise<void> {
    const { session, onDurable } = this.#options;
    const { nextSequence } = this.#batch;
    if (nextSequence === this.#committed) return;
    if (this.#room - nextSequence < roomWanted)
      this.#room = await extendPartitions(session.writer.client, session.end.log, nextSequence);
    this.#batch.complete();
    const unit = this.#batch.takeComplete(nowhere);
    await this.#writer.append(unit);
    this.#committed = nextSequence;
    if (unit.head) {
      session.tree.lastSigned.write(unit.head.checkpoint);
      this.#recentTiles.add(unit.fullTiles);
      this.#publisher.offer(unit.head);
    }
    onDurable(unit.nextSequence - unit.firstSequence);
    this.#batch.recycle(unit);
  }

  /** Returns whether something was asked for. */
  async #requestExpiry(): Promise<boolean> {
    const { session, retentionIntervalMs } = this.#options;
    if (performance.now() < this.#expiryDueAtMs) return false;
    const next = await requestExpiry(session.writer.client, session.end.log, this.#retention, {
      from: this.#expiredUpTo,
      now: await this.#leastClock(),
    });
    this.#expiredUpTo = next ?? this.#expiredUpTo;
    if (next !== undefined) return true;
    this.#expiryDueAtMs = performance.now() + retentionIntervalMs;
    return false;
  }

  /** A single clock that is wrong makes nothing expire. */
  async #leastClock(): Promise<number> {
    const { rows } = await this.#options.session.writer.client.query<{ now: Date }>(
      'SELECT clock_timestamp() AS now',
    );
    return Math.min(Date.now(), rows[0]!.now.getTime());
  }
}
