import { setTimeout as delay } from 'node:timers/promises';
import { inboxChannel } from '@bemi-db/trail/inbox';
import type { OpenConnection } from '../connections.ts';

/** Rings when somebody has put something into the inbox, whatever it is. */
export class InboxBell {
  #hasRung = false;
  #wake: () => void = () => undefined;

  private constructor(connection: OpenConnection) {
    connection.client.on('notification', () => {
      this.#hasRung = true;
      this.#wake();
    });
  }

  static async listen(connection: OpenConnection): Promise<InboxBell> {
    const bell = new InboxBell(connection);
    await connection.client.query(`LISTEN ${inboxChannel}`);
    return bell;
  }

  /**
   * Resolves when it rings, or has rung since the last time; after a while all the same; and when the signal comes.
   *
   * @param connections - rejects when one of them is lost
   */
  async next(mostMs: number, signal: AbortSignal, connections: readonly OpenConnection[]): Promise<void> {
    const rung = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (!this.#hasRung && !signal.aborted) {
      const waiting = new AbortController();
      const quiet = delay(mostMs, undefined, { signal: AbortSignal.any([signal, waiting.signal]) });
      try {
        await Promise.race([rung, quiet.catch(() => undefined), ...connections.map(({ lost }) => lost)]);
      } finally {
        waiting.abort();
      }
    }
    this.#hasRung = false;
  }
}
