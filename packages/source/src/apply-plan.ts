import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { ApplyError, isBusy, isGone, leftOut, type UndoneStep, undoneBecause } from './apply-error.ts';
import { lockHolders } from './lock-holders.ts';
import type { PlanStep } from './plan-step.ts';

export interface ApplyProgress {
  readonly step: PlanStep;
  /** `busy`: somebody else holds the table; it is tried again after `waitMs`. */
  readonly state: 'started' | 'busy' | 'done' | 'failed';
  /** From 1. */
  readonly attempt: number;
  /** Only with `busy`. */
  readonly waitMs: number | undefined;
  /** Only with `busy`: who holds the table, as far as it can be seen, such as `pid 4711 (nightly import)`. */
  readonly holders: readonly string[];
  /** Only with `failed`. */
  readonly undone: UndoneStep | undefined;
}

export interface ApplyOptions {
  readonly onProgress?: (progress: ApplyProgress) => void;
  /** How long a statement may queue for a lock, and everybody else behind it. Default 2000. */
  readonly lockTimeoutMs?: number;
  /** How long to wait before each further try, in ms. Default 500, 1000, 2000, 4000, 8000: six tries. */
  readonly retryDelaysMs?: readonly number[];
  /** How many tables are altered in one exchange with the server, each in a transaction of its own. Default 100. */
  readonly batchSize?: number;
  /** Stops between statements and while waiting; a statement that runs is not cancelled. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the steps of a plan in their order, each in a transaction of its own: a slot can't be made in one that has
 * written, and no lock is held from one table to the next.
 *
 * An ALTER TABLE that waits for its lock makes every later query of that table wait behind it, so it gives up
 * after `lockTimeoutMs` and tries again later: no application waits longer. Meanwhile the other tables are done. One that
 * can't be had in the end is left, and the rest goes on; except what would do harm without it, such as a publication of a
 * table that could not be updated any more.
 *
 * @param client - an ordinary connection, not in a transaction, of a role that may do all this.
 * @throws {@link ApplyError} for what is not done in the end; the signal's reason, or an AbortError, when aborted.
 */
export async function applyPlan(
  client: pg.ClientBase,
  steps: readonly PlanStep[],
  options: ApplyOptions = {},
): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement`,
  );
  const before = rows[0] as { lock: string; statement: string };
  const session = new ApplySession(client, options);
  try {
    await session.run(steps);
  } finally {
    // A connection that is gone has nothing to restore, and its error would hide the first one.
    await setTimeouts(client, before.lock, before.statement).catch(() => undefined);
  }
}

class ApplySession {
  readonly #client: pg.ClientBase;
  readonly #options: ApplyOptions;
  readonly #lockTimeoutMs: number;
  readonly #retryDelaysMs: readonly number[];
  readonly #undone: UndoneStep[] = [];
  #cause: unknown;

  constructor(client: pg.ClientBase, options: ApplyOptions) {
    this.#client = client;
    this.#options = options;
    this.#lockTimeoutMs = options.lockTimeoutMs ?? 2_000;
    this.#retryDelaysMs = options.retryDelaysMs ?? [500, 1_000, 2_000, 4_000, 8_000];
  }

  async run(steps: readonly PlanStep[]): Promise<void> {
    for (let at = 0; at < steps.length; ) {
      const group = consecutiveTables(steps, at);
      if (group.length > 0) await this.#applyTables(group);
      else await this.#applyStep(steps[at]!);
      at += group.length || 1;
    }
    const [first, ...others] = this.#undone;
    if (first) throw new ApplyError([first, ...others], this.#cause);
  }

  /** Tables need nothing of each other: those that are in use wait until the others are done. */
  async #applyTables(steps: readonly PlanStep[]): Promise<void> {
    await this.#limitWaiting(this.#lockTimeoutMs);
    let busy: readonly PlanStep[] = steps;
    for (let attempt = 1; busy.length > 0; attempt++) {
      const waitMs = this.#retryDelaysMs[attempt - 1];
      busy = await this.#tryTables(busy, attempt, waitMs);
      if (busy.length > 0) await this.#wait(waitMs ?? 0);
    }
  }

  /** @returns those that are in use, to be tried again after `waitMs`. */
  async #tryTables(
    steps: readonly PlanStep[],
    attempt: number,
    waitMs: number | undefined,
  ): Promise<readonly PlanStep[]> {
    const busy: PlanStep[] = [];
    const { batchSize = 100 } = this.#options;
    for (let at = 0; at < steps.length; at += batchSize) {
      const batch = steps.slice(at, at + batchSize);
      this.#options.signal?.throwIfAborted();
      if (batch.length > 1 && (await this.#tryBatch(batch, attempt))) continue;
      for (const step of batch) {
        if (!(await this.#tryTable(step, attempt, waitMs))) busy.push(step);
      }
    }
    return busy;
  }

  /**
   * All of a batch in one exchange, each statement a transaction of its own. Who fails isn't known then: those of the batch
   * are done again one by one, which changes nothing where it is done.
   */
  async #tryBatch(batch: readonly PlanStep[], attempt: number): Promise<boolean> {
    for (const step of batch) this.#report(step, 'started', attempt);
    try {
      const limit = `SET LOCAL lock_timeout = ${Math.min(quickLockTimeoutMs, this.#lockTimeoutMs)};`;
      await this.#client.query(batch.map(({ sql }) => `BEGIN; ${limit} ${sql} COMMIT;`).join('\n'));
    } catch {
      await this.#client.query('ROLLBACK');
      return false;
    }
    for (const step of batch) this.#report(step, 'done', attempt);
    return true;
  }

  /** @returns false when the table is in use, and shall be tried again. */
  async #tryTable(step: PlanStep, attempt: number, waitMs: number | undefined): Promise<boolean> {
    this.#options.signal?.throwIfAborted();
    this.#report(step, 'started', attempt);
    try {
      await this.#client.query(step.sql);
    } catch (error) {
      // A table that was dropped meanwhile needs nothing any more.
      if (!isGone(error)) return await this.#giveUpOrWait(step, attempt, waitMs, error);
    }
    this.#report(step, 'done', attempt);
    return true;
  }

  async #giveUpOrWait(
    step: PlanStep,
    attempt: number,
    waitMs: number | undefined,
    error: unknown,
  ): Promise<boolean> {
    const holders = await this.#holders(step, error);
    if (isBusy(error) && waitMs !== undefined) {
      this.#report(step, 'busy', attempt, waitMs, holders);
      return false;
    }
    this.#leave(undoneBecause(step, error, holders), error);
    return true;
  }

  async #applyStep(step: PlanStep): Promise<void> {
    const missing = this.#undone.find((undone) => step.needs?.includes(undone.step.id));
    if (missing) {
      return this.#leave(leftOut(step, missing), undefined);
    }
    // A new slot waits for running transactions by locking their ids, which disturbs nobody and may last.
    await this.#limitWaiting(step.kind === 'slot' ? 0 : this.#lockTimeoutMs);
    for (let attempt = 1; ; attempt++) {
      this.#options.signal?.throwIfAborted();
      this.#report(step, 'started', attempt);
      try {
        await this.#client.query(step.sql);
        return this.#report(step, 'done', attempt);
      } catch (error) {
        // A step of several statements is a transaction of its own, and has failed.
        if (step.sql.startsWith('BEGIN;')) await this.#client.query('ROLLBACK').catch(() => undefined);
        const waitMs = this.#retryDelaysMs[attempt - 1];
        const holders = await this.#holders(step, error);
        if (!isBusy(error) || waitMs === undefined) {
          // Not every server lets its administrator make event triggers, or grant on all tables.
          if (step.isDispensable) return this.#leave(undoneBecause(step, error, holders), error);
          const undone = [undoneBecause(step, error, holders), ...this.#undone] as const;
          throw new ApplyError(undone, error);
        }
        this.#report(step, 'busy', attempt, waitMs, holders);
        await this.#wait(waitMs);
      }
    }
  }

  /** Who is in the way, as far as it can be seen. */
  async #holders(step: PlanStep, error: unknown): Promise<readonly string[]> {
    if (!isBusy(error) || !step.tables || step.tables.length === 0) return [];
    return await lockHolders(this.#client, step.tables, step.kind === 'identity' ? 'any' : 'changing');
  }

  #leave(undone: UndoneStep, error: unknown): void {
    this.#cause ??= error;
    this.#undone.push(undone);
    const { step, holders } = undone;
    this.#options.onProgress?.({ step, state: 'failed', attempt: 1, waitMs: undefined, holders, undone });
  }

  #report(
    step: PlanStep,
    state: Exclude<ApplyProgress['state'], 'failed'>,
    attempt: number,
    waitMs?: number,
    holders: readonly string[] = [],
  ): void {
    this.#options.onProgress?.({ step, state, attempt, waitMs, holders, undone: undefined });
  }

  async #wait(waitMs: number): Promise<void> {
    const { signal } = this.#options;
    await delay(waitMs, undefined, signal ? { signal } : {});
  }

  async #limitWaiting(lockTimeoutMs: number): Promise<void> {
    await setTimeouts(this.#client, `${lockTimeoutMs}ms`, '0');
  }
}

// A table that is in use is waited for once it is known which one it is.
const quickLockTimeoutMs = 100;

/** The steps about tables from there on, up to the first of another kind. */
function consecutiveTables(steps: readonly PlanStep[], from: number): readonly PlanStep[] {
  const end = steps.findIndex(
    (step, at) => (at >= from && step.kind !== 'identity') || !step.sql.startsWith('ALTER TABLE'),
  );
  return steps.slice(from, end === -1 ? undefined : end);
}

async function setTimeouts(client: pg.ClientBase, lock: string, statement: string): Promise<void> {
  await client.query(
    `SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`,
    [lock, statement],
  );
}
