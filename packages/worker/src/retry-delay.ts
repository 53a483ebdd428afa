const firstDelayMs = 250;
const longestDelayMs = 30_000;

/**
 * How long to wait before a try: doubling from a quarter of a second to half a minute, with jitter so that many workers
 * do not come back at once.
 *
 * @param attempt - 1 after the first failure.
 * @param random - between 0 and 1.
 */
export function retryDelayMs(attempt: number, random: number): number {
  const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 20));
  return Math.round(full * (0.5 + random / 2));
}
