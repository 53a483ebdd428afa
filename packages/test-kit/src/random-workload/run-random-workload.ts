import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { alteredTableStatements } from './altered-tables.ts';
import { copyStatements } from './copy-statements.ts';
import { failingStatements } from './failing-statements.ts';
import { gidPrefix, settleAllPrepared, settlePrepared } from './prepared-transactions.ts';
import { runTransaction, type UnknownOutcome } from './random-transaction.ts';
import { rowStatements } from './row-statements.ts';
import { seededRandom } from './seeded-random.ts';
import { tableStatements } from './table-statements.ts';
import { newWorkloadCounts, type WorkloadCounts } from './workload-counts.ts';
import { isConnectionError } from './workload-error.ts';
import { type WorkloadSession, workloadSession } from './workload-session.ts';

export interface RandomWorkloadOptions {
  /** Superuser URL of a database where `createWorkload` has made the tables. */
  readonly url: string;
  /** What the clients choose depends on it alone; what comes of it, also on who is first. */
  readonly seed: number;
  /** Ends the run; transactions that are open are ended first. */
  readonly signal: AbortSignal;
  /** Default 6. */
  readonly clients?: number;
  /** How long each client waits between two transactions. Default 0. */
  readonly pauseMs?: number;
}

const allStatements = [
  ...rowStatements,
  ...tableStatements,
  ...copyStatements,
  ...failingStatements,
  ...alteredTableStatements,
];
const alterationPauseMs = 150;
const settlementMs = 30_000;

/**
 * Concurrent clients that write at random until the signal comes. They connect again when the server was away, and ask it
 * afterwards what became of a commit that was not answered. At the end no transaction is left open or prepared,
 * unless the server stays away.
 *
 * @throws Error when a statement fails in a way that the workload does not mean; it names the seed.
 * @example
 * await createWorkload(client);
 * await publishWorkload(client);
 * const counts = await runRandomWorkload({ url, seed: newSeed(), signal: AbortSignal.timeout(5_000) });
 */
export async function runRandomWorkload(options: RandomWorkloadOptions): Promise<WorkloadCounts> {
  const { url, seed, clients = 6, pauseMs = 0 } = options;
  const counts = newWorkloadCounts();
  const random = seededRandom(seed);
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const run = `${gidPrefix}${seed}_${Date.now()}`;

  const client = (number: number): Promise<void> =>
    withSession(url, signal, counts, async (session) => {
      const own = random.fork(number);
      const isAlterer = number === 0;
      for (let transaction = 0; !signal.aborted; transaction++) {
        await session.client();
        const { version, canPrepare } = session.server;
        const unknown = await runTransaction({
          session,
          random: own,
          counts,
          statements: allStatements.filter(({ minimumVersion = 0 }) => version >= minimumVersion),
          gid: canPrepare ? `${run}_${number}_${transaction}` : undefined,
          isAlteration: isAlterer,
        });
        if (unknown) await settleUnknown(session, unknown, counts, signal);
        const waitMs = isAlterer ? Math.max(pauseMs, own.below(2 * alterationPauseMs)) : pauseMs;
        if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => undefined);
      }
    });
  const guarded = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      failure.abort();
      throw new Error(`The random workload with seed ${seed} failed: ${String(error)}`, { cause: error });
    });

  const work = Array.from({ length: clients + 1 }, (_, number) => guarded(client(number)));
  work.push(
    guarded(
      withSession(url, signal, counts, (session) => settlePrepared(session, random.fork(-2), counts, signal)),
    ),
  );
  const ends = await Promise.allSettled(work);
  await withSession(url, AbortSignal.timeout(settlementMs), counts, (session) =>
    settleAllPrepared(session, random.fork(-3), counts),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return counts;
}

/** Runs until the work is done, or the signal ends a wait for the server. */
async function withSession(
  url: string,
  signal: AbortSignal,
  counts: WorkloadCounts,
  work: (session: WorkloadSession) => Promise<void>,
): Promise<void> {
  const session = workloadSession(url, signal);
  try {
    await work(session);
  } catch (error) {
    if (!signal.aborted || !(error instanceof Error) || !isAbort(error)) throw error;
  } finally {
    counts.reconnects += Math.max(session.connects - 1, 0);
    await session.drop();
  }
}

function isAbort(error: Error): boolean {
  return error.name === 'AbortError' || error.name === 'TimeoutError';
}

/** Asks the source, which has come back, what became of a transaction. One that was prepared is in progress until it is ended. */
async function settleUnknown(
  session: WorkloadSession,
  { xid }: UnknownOutcome,
  counts: WorkloadCounts,
  signal: AbortSignal,
): Promise<void> {
  if (xid === undefined) return;
  for (;;) {
    try {
      const client = await session.client();
      const { rows } = await client.query<{ status: string | null }>('SELECT txid_status($1) AS status', [
        xid,
      ]);
      const status = rows[0]!.status;
      if (status === 'committed') counts.unknownCommitted++;
      else if (status === 'aborted') counts.unknownRolledBack++;
      if (status !== 'in progress' || signal.aborted) return;
      await delay(50);
    } catch (error) {
      if (isNeverGiven(error)) {
        counts.unknownRolledBack++;
        return;
      }
      if (!isConnectionError(error)) throw error;
      await session.drop();
    }
  }
}

/** After a crash that lost its WAL, the server doesn't know the xid yet: it is "in the future" (22023). */
function isNeverGiven(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '22023';
}
