import { setTimeout as delay } from 'node:timers/promises';

/** Waits until it is so, 25 seconds at most. */
export async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 25_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('It did not come to be so within 25 s');
    await delay(10);
  }
}
