import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../logger.ts';
import type { Alert } from './alert-state.ts';

/** What is sent of an alert. */
export interface AlertMessage extends Alert {
  /** The name of the log. */
  readonly log: string;
}

/** Somewhere that alerts are sent to. */
export interface AlertChannel {
  /** `webhook`, `Slack`, `e-mail`: never with an address in it that is a secret. */
  readonly name: string;
  /** Rejects with an error whose message holds no secret. */
  send(message: AlertMessage, signal: AbortSignal): Promise<void>;
}

const tries = 5;
const firstPauseMs = 2_000;
const patienceMs = 15_000;

/** Sends alerts to each channel, in order, and again when it fails. One channel never waits for another. */
export class Delivery {
  readonly #channels: readonly { readonly channel: AlertChannel; last: Promise<void> }[];
  readonly #log: string;
  readonly #logger: Logger;
  readonly #stop = new AbortController();

  constructor(channels: readonly AlertChannel[], log: string, logger: Logger) {
    this.#channels = channels.map((channel) => ({ channel, last: Promise.resolve() }));
    this.#log = log;
    this.#logger = logger;
  }

  /** Returns at once. */
  send(alert: Alert): void {
    for (const each of this.#channels) {
      each.last = each.last.then(() => this.#deliver(each.channel, { ...alert, log: this.#log }));
    }
  }

  /** Gives up what is on its way for the second or third time, and waits for what is sent now. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#channels.map(({ last }) => last));
  }

  async #deliver(channel: AlertChannel, message: AlertMessage): Promise<void> {
    for (let i = 1; ; i++) {
      try {
        await channel.send(message, AbortSignal.timeout(patienceMs));
        return;
      } catch (error) {
        const isLast = i === tries || this.#stop.signal.aborted;
        const fields = { alert: message.id, channel: channel.name, reason: (error as Error).message };
        if (i === 1 || isLast) {
          this.#logger.warn(fields, isLast ? 'An alert could not be sent' : 'An alert could not be sent yet');
        }
        if (isLast) return;
        await delay(firstPauseMs * 2 ** (i - 1), undefined, { signal: this.#stop.signal }).catch(
          () => undefined,
        );
      }
    }
  }
}
