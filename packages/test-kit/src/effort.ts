/** Whether tests run in their full form: `TEST_EFFORT=full`, `npm run test:full`. */
export const isFullEffort = process.env['TEST_EFFORT'] === 'full';

/**
 * How much a long test does: the short form by default, the full one with `TEST_EFFORT=full` (`npm run test:full`).
 */
export function effort(short: number, full: number): number {
  return isFullEffort ? full : short;
}
