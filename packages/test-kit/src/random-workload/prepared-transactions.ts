import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from './seeded-random.ts';
import type { WorkloadCounts } from './workload-counts.ts';
import { isConnectionError, isExpectedError } from './workload-error.ts';
import type { WorkloadSession } from './workload-session.ts';

/** What the names of prepared transactions begin with. */
export const gidPrefix = 'bemi_workload_';

const longestWaitMs = 120;

/** Ends prepared transactions, from a session that did not prepare them, until the signal; they hold locks until then. */
export async function settlePrepared(
  session: WorkloadSession,
  random: SeededRandom,
  counts: WorkloadCounts,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(random.below(longestWaitMs), undefined, { signal }).catch(() => undefined);
    if (!signal.aborted) await settleOne(session, random, counts);
  }
}

/** Ends all that are left, when no client prepares any more. */
export async function settleAllPrepared(
  session: WorkloadSession,
  random: SeededRandom,
  counts: WorkloadCounts,
): Promise<void> {
  while (await settleOne(session, random, counts));
}

async function settleOne(
  session: WorkloadSession,
  random: SeededRandom,
  counts: WorkloadCounts,
): Promise<boolean> {
  try {
    const client = await session.client();
    const { rows } = await client.query<{ gid: string }>(
      `SELECT gid FROM pg_prepared_xacts WHERE database = current_database() AND gid LIKE $1 || '%' ORDER BY gid`,
      [gidPrefix],
    );
    if (rows.length === 0) return false;
    const { gid } = random.pick(rows);
    if (random.chance(0.75)) {
      await client.query(`COMMIT PREPARED '${gid}'`);
      counts.committedPrepared++;
    } else {
      await client.query(`ROLLBACK PREPARED '${gid}'`);
      counts.rolledBackPrepared++;
    }
  } catch (error) {
    if (isConnectionError(error)) await session.drop();
    else if (!isExpectedError(error)) throw error;
  }
  return true;
}
