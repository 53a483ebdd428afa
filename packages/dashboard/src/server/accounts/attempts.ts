import { createHash } from 'node:crypto';
import type { AccountsDatabase } from './accounts-database.ts';

/** So many failures in so many minutes are let pass. */
export interface AttemptLimit {
  readonly name: string;
  readonly most: number;
  readonly minutes: number;
}

/** A person mistypes a password a few times; many people may share an address. */
export const attemptLimits = {
  account: { name: 'account', most: 10, minutes: 15 },
  address: { name: 'address', most: 60, minutes: 15 },
} as const satisfies Readonly<Record<string, AttemptLimit>>;

export interface CountedAttempt {
  readonly isTooMany: boolean;
  readonly retryAfterSeconds: number;
}

/** Counted before it is known how it ends, so that attempts at the same time are counted as well. */
export async function countAttempt(
  { pool }: AccountsDatabase,
  limit: AttemptLimit,
  whose: string,
): Promise<CountedAttempt> {
  const { rows } = await pool.query<{ count: number; retryAfterSeconds: number }>(
    `INSERT INTO bemi_accounts.attempts AS a (subject, since, count) VALUES ($1, now(), 1)
         ON CONFLICT (subject) DO UPDATE SET
            count = CASE WHEN a.since < now() - make_interval(mins => $2) THEN 1 ELSE least(a.count + 1, 1000000) END,
            since = CASE WHEN a.since < now() - make_interval(mins => $2) THEN now() ELSE a.since END
     RETURNING count, ceil(extract(epoch FROM since + make_interval(mins => $2) - now()))::integer AS "retryAfterSeconds"`,
    [subject(limit, whose), limit.minutes],
  );
  const { count, retryAfterSeconds } = rows[0]!;
  return { isTooMany: count > limit.most, retryAfterSeconds: Math.max(1, retryAfterSeconds) };
}

/** It succeeded, and counts no more. */
export async function forgiveAttempt(
  { pool }: AccountsDatabase,
  limit: AttemptLimit,
  whose: string,
): Promise<void> {
  await pool.query('UPDATE bemi_accounts.attempts SET count = greatest(count - 1, 0) WHERE subject = $1', [
    subject(limit, whose),
  ]);
}

/** What nobody counts any more. */
export async function clearAttempts({ pool }: AccountsDatabase): Promise<void> {
  await pool.query(`DELETE FROM bemi_accounts.attempts WHERE since < now() - interval '1 day'`);
  await pool.query(`DELETE FROM bemi_accounts.verifications WHERE expires_at < now() - interval '1 day'`);
  await pool.query('DELETE FROM bemi_accounts.sessions WHERE expires_at < now()');
}

function subject(limit: AttemptLimit, whose: string): Buffer {
  return createHash('sha256').update(`${limit.name}\0${whose}`).digest();
}
