import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SecretConnection } from '@bemi-db/source/connection-string';
import type { StepReader, StoredStep } from '@bemi-db/trail/verify/verify-log';

/** What a thread is asked for, and what it answers. */
export interface StepRequest {
  readonly from: number;
  readonly to: number;
}
export type StepAnswer = { readonly step: StoredStep } | { readonly error: Error };

export interface ReadingThreads {
  readonly readers: readonly StepReader[];
  close(): Promise<void>;
}

/**
 * Starts threads that read a log, each by a connection of its own: reading entries and hashing what they commit to is
 * more than half of a verification's work, and needs no order.
 *
 * @param url - of the audit database.
 */
export function openReadingThreads(
  url: string | SecretConnection,
  log: number,
  count: number,
): ReadingThreads {
  const program = new URL('./reading-thread.js', import.meta.url);
  const threads = Array.from({ length: count }, () => new Worker(program, { workerData: { url, log } }));
  return {
    readers: threads.map((thread) => async (from, to) => {
      const request: StepRequest = { from, to };
      const answered = once(thread, 'message') as Promise<[StepAnswer]>;
      thread.postMessage(request);
      const [answer] = await answered;
      if ('error' in answer) throw answer.error;
      return answer.step;
    }),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
