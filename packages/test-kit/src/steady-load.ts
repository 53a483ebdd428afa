import { setTimeout as delay } from 'node:timers/promises';
import { runBank } from './bank-workload.ts';

const retryMs = 100;

/**
 * A bank's clients that go on through whatever happens to the source: a client that loses its server comes back. What it
 * was committing then may be committed or not, so there are no counts: the source itself says what is true.
 *
 * @returns resolves when the signal has ended all of them.
 */
export async function runSteadyLoad(
  url: string,
  clientCount: number,
  signal: AbortSignal,
  pauseMs = 10,
): Promise<void> {
  const one = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await runBank(url, 1, signal, pauseMs);
      } catch {
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  await Promise.all(Array.from({ length: clientCount }, one));
}
