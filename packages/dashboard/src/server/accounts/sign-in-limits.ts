import type { Context } from 'hono';
import { ApiProblem } from '../api-problem.ts';
import { addressOf } from '../asker.ts';
import type { AccountServices } from './account-services.ts';
import { type AttemptLimit, attemptLimits, countAttempt, forgiveAttempt } from './attempts.ts';

/** An attempt that is counted for now, as if it failed. */
export interface LimitedAttempt {
  /** It did not fail. */
  succeeded(): Promise<void>;
}

/**
 * Counts an attempt by where it comes from and, where it is known, by whose account it is about.
 *
 * @throws ApiProblem 429 after too many.
 */
export async function limitedAttempt(
  c: Context,
  { database }: Pick<AccountServices, 'database'>,
  account: string | undefined,
): Promise<LimitedAttempt> {
  const counted: (readonly [AttemptLimit, string])[] = [
    [attemptLimits.address, addressOf(c) ?? 'unknown'],
    ...(account === undefined ? [] : [[attemptLimits.account, account] as const]),
  ];
  for (const [limit, whose] of counted) {
    const { isTooMany, retryAfterSeconds } = await countAttempt(database, limit, whose);
    if (!isTooMany) continue;
    c.header('retry-after', String(retryAfterSeconds));
    throw new ApiProblem(
      429,
      'too-many-attempts',
      'Too many attempts',
      `Try again in ${Math.ceil(retryAfterSeconds / 60)} minutes.`,
    );
  }
  return {
    async succeeded() {
      for (const [limit, whose] of counted) await forgiveAttempt(database, limit, whose);
    },
  };
}
