import { setTimeout as delay } from 'node:timers/promises';

/** Waits until it is so, ten seconds at most. */
export async function waitUntil(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error('It did not come to be so within 10 s');
    await delay(10);
  }
}
