import { setTimeout as delay } from 'node:timers/promises';
import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import type { ExampleClinic } from './example-clinic.ts';

const intervalMs = 1_200;
const restartMs = 2_000;
const longestReason = 70;

/**
 * Has the clinic's staff work until the signal. Whoever changes data behind the application's back may take away
 * what the staff is working on: then they start over.
 *
 * @param onRestart - hears what the clinic answered.
 */
export async function keepTrafficUp(
  { playTraffic }: ExampleClinic,
  clinicUrl: string,
  signal: AbortSignal,
  onRestart: (reason: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await playTraffic(clinicUrl, { signal, intervalMs });
    } catch (error) {
      onRestart(reasonOf(error));
      await delay(restartMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** `PATCH /patients/1: 404`: the answer's body is left out. */
function reasonOf(error: unknown): string {
  const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(' {');
  return shortened(harmless(reason), longestReason);
}
