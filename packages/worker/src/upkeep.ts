import { type InboxRequest, inboxChannel } from '@bemi-db/trail/inbox';
import { countChanges, extendPartitions, indexChanges } from '@bemi-db/trail/partitions';
import type { ContextKeys } from './authenticity/context-keys.ts';
import type { OpenConnection } from './connections.ts';
import { Inbox } from './inbox-requests.ts';
import type { Logger } from './logger.ts';
import { AutomaticRetention } from './retention/automatic-retention.ts';
import type { RetentionSettings } from './retention/retention-settings.ts';
import type { RulesJudge } from './rules/judge-rules.ts';

export interface UpkeepOptions {
  readonly connection: OpenConnection;
  readonly log: number;
  readonly logId: string;
  readonly contextKeys: ContextKeys;
  readonly rulesJudge: RulesJudge;
  readonly retention: RetentionSettings;
  readonly retentionIntervalMs: number;
  readonly logger: Logger;
  readonly nextSequence: () => number;
  /** Whether entries wait for the writer. */
  readonly isBusy: () => boolean;
  /** Whether a source transaction is open. */
  readonly isInTransaction: () => boolean;
  /** Requests to be appended as events, each handed over once. */
  readonly onRequests: (requests: readonly InboxRequest[]) => void;
  readonly onError: (error: unknown) => void;
}

const tickMs = 1_000;
const inboxPollMs = 10_000;
/** Blocks of 1,024 entries in one step of indexing: some tens of milliseconds. */
const indexStep = 4;
/** While the writer has plenty to do, indexing takes at most this share of its time; it catches up when there is less. */
const indexStepsWhenBusy = 2;
const indexStepsWhenIdle = 50;
/** Partitions are extended when this many sequences are left; making them takes milliseconds. */
const roomWanted = 2_000_000;

/**
 * What the audit database needs besides entries, on a connection of its own so that the writer never waits for it:
 * partitions ahead, the index of changes, the inbox, and retention.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #inbox: Inbox;
  readonly #retention: AutomaticRetention;
  #room = 0;
  #isInboxDue = true;
  #inboxReadAt = Number.NEGATIVE_INFINITY;
  #indexedSequence = -1;
  #countedSequence = -1;
  #running: Promise<void> | undefined;
  #reading: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { connection, log, isInTransaction, onRequests, retention } = options;
    this.#inbox = new Inbox({
      client: connection.client,
      log,
      logId: options.logId,
      contextKeys: options.contextKeys,
      rulesJudge: options.rulesJudge,
      retention,
      isInTransaction,
      onRequests,
    });
    this.#retention = new AutomaticRetention({
      client: connection.client,
      log,
      periods: () => retention.periods,
      intervalMs: options.retentionIntervalMs,
      logger: options.logger,
    });
  }

  async start(): Promise<void> {
    const { client } = this.#options.connection;
    client.on('notification', (notification) => {
      if (notification.payload !== String(this.#options.log)) return;
      this.#isInboxDue = true;
      if (this.#timer) this.#tick();
    });
    await client.query(`LISTEN ${inboxChannel}`);
    await this.#extend(this.#options.nextSequence());
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /**
   * Hands over what has been asked for until now.
   *
   * @returns whether nothing waits any more, and what was handed over before has been answered.
   */
  async readInbox(): Promise<boolean> {
    await this.#readInbox();
    return !this.#isInboxDue && this.#inbox.isAnswered;
  }

  /** Resolves when there are partitions for every sequence below this one. */
  async makeRoom(nextSequence: number): Promise<void> {
    while (nextSequence > this.#room) await this.#extend(nextSequence);
  }

  /** Ends after the step that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await Promise.all([this.#running, this.#reading]);
  }

  /** Indexes some of what is left, for a worker that never runs for long. */
  async finish(): Promise<void> {
    await this.stop();
    await indexChanges(this.#options.connection.client, this.#options.log, indexStep);
  }

  #tick(): void {
    // One at a time: a slow audit database must not pile up work.
    this.#running ??= this.#work()
      .catch(this.#options.onError)
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #work(): Promise<void> {
    const { connection, log, nextSequence, isBusy } = this.#options;
    const sequence = nextSequence();
    if (this.#room - sequence < roomWanted) await this.#extend(sequence);
    const now = performance.now();
    if (this.#isInboxDue || now - this.#inboxReadAt >= inboxPollMs) await this.#readInbox();
    await this.#retention.work();
    if (sequence !== this.#indexedSequence) {
      const steps = isBusy() ? indexStepsWhenBusy : indexStepsWhenIdle;
      for (let step = 0; step < steps && this.#timer; step++) {
        if (await indexChanges(connection.client, log, indexStep)) {
          this.#indexedSequence = sequence;
          break;
        }
      }
    }
    // What an older version has indexed, and what was erased: both only where the log has moved.
    if (sequence !== this.#countedSequence && sequence === this.#indexedSequence) {
      const steps = isBusy() ? indexStepsWhenBusy : indexStepsWhenIdle;
      for (let step = 0; step < steps && this.#timer; step++) {
        if (await countChanges(connection.client, log, indexStep)) {
          this.#countedSequence = sequence;
          break;
        }
      }
    }
  }

  /** One at a time: each request is handed over once. */
  async #readInbox(): Promise<void> {
    const reading = this.#reading.then(async () => {
      this.#isInboxDue = false;
      this.#inboxReadAt = performance.now();
      if (await this.#inbox.read()) this.#isInboxDue = true;
    });
    this.#reading = reading.catch(() => undefined);
    await reading;
  }

  async #extend(nextSequence: number): Promise<void> {
    this.#room = await extendPartitions(this.#options.connection.client, this.#options.log, nextSequence);
  }
}
