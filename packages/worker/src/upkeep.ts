import { type InboxRequest, inboxChannel, openRequests } from '@bemi-db/trail/inbox';
import { extendPartitions, flushContextIndexes } from '@bemi-db/trail/partitions';
import type { OpenConnection } from './connections.ts';

export interface UpkeepOptions {
  readonly connection: OpenConnection;
  readonly log: number;
  readonly nextSequence: () => number;
  /** Requests to be appended as events, each handed over once. */
  readonly onRequests: (requests: readonly InboxRequest[]) => void;
  readonly onError: (error: unknown) => void;
}

const tickMs = 1_000;
const inboxPollMs = 10_000;
const indexFlushMs = 5_000;
/** Partitions are extended when this many sequences are left; making them takes milliseconds. */
const roomWanted = 2_000_000;

/**
 * What the audit database needs besides entries, on a connection of its own so that the writer never waits for it:
 * partitions ahead, empty pending lists of the context index, and the inbox.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #room = 0;
  #lastRequestId = '0';
  #isInboxDue = true;
  #inboxReadAt = 0;
  #indexFlushedAt = 0;
  #indexedSequence = -1;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { client } = this.#options.connection;
    client.on('notification', (notification) => {
      if (notification.payload === String(this.#options.log)) this.#isInboxDue = true;
    });
    await client.query(`LISTEN ${inboxChannel}`);
    await this.#extend(this.#options.nextSequence());
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Resolves when there are partitions for every sequence below this one. */
  async makeRoom(nextSequence: number): Promise<void> {
    while (nextSequence > this.#room) await this.#extend(nextSequence);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
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
    const { connection, log, nextSequence, onRequests } = this.#options;
    const sequence = nextSequence();
    if (this.#room - sequence < roomWanted) await this.#extend(sequence);
    const now = Date.now();
    if (this.#isInboxDue || now - this.#inboxReadAt >= inboxPollMs) {
      this.#isInboxDue = false;
      this.#inboxReadAt = now;
      const requests = await openRequests(connection.client, log, this.#lastRequestId);
      const last = requests.at(-1);
      if (last) {
        this.#lastRequestId = last.id;
        onRequests(requests);
      }
    }
    if (sequence !== this.#indexedSequence && now - this.#indexFlushedAt >= indexFlushMs) {
      await flushContextIndexes(connection.client, log);
      this.#indexedSequence = sequence;
      this.#indexFlushedAt = Date.now();
    }
  }

  async #extend(nextSequence: number): Promise<void> {
    this.#room = await extendPartitions(this.#options.connection.client, this.#options.log, nextSequence);
  }
}
