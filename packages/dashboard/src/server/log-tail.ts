import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';

/** Tells when a log has grown. However many wait, the database is asked once; while nobody waits, never. */
export interface LogTail {
  /**
   * Resolves when the log has an entry at or after a sequence; also when the signal aborts or the time is over, so whoever
   * waits looks again.
   */
  grown(log: number, sequence: string, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

interface Waiting {
  readonly log: number;
  readonly sequence: bigint;
  readonly resolve: () => void;
}

const pollMs = 250;

/** @param ends - reads where each log ends. */
export function createLogTail(ends: () => Promise<ReadonlyMap<number, bigint>>): LogTail {
  const waiting = new Set<Waiting>();
  let isPolling = false;

  async function poll(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    while (waiting.size > 0) {
      await delay(pollMs);
      // Where the database can't be read for a while, nothing has grown as far as anybody can see.
      const found = await ends().catch(() => undefined);
      for (const each of waiting) {
        const end = found?.get(each.log);
        if (end !== undefined && end > each.sequence) each.resolve();
      }
    }
    isPolling = false;
  }

  return {
    async grown(log, sequence, timeoutMs, signal) {
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          waiting.delete(entry);
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const entry: Waiting = { log, sequence: BigInt(sequence), resolve: done };
        const timer = setTimeout(done, timeoutMs);
        signal.addEventListener('abort', done, { once: true });
        waiting.add(entry);
        void poll();
      });
    },
  };
}

/** Where each log ends: the sequence that its next entry will have. */
export async function logEnds(client: pg.ClientBase): Promise<ReadonlyMap<number, bigint>> {
  const { rows } = await client.query<{ log: number; end: string }>(
    'SELECT log, next_sequence::text AS "end" FROM bemi.logs',
  );
  return new Map(rows.map(({ log, end }) => [log, BigInt(end)]));
}
