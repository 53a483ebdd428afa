import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { maskSecret, type PlanStep } from './plan-step.ts';
import { sqlStateOf } from './sql-state.ts';

export interface ApplyProgress {
  readonly step: PlanStep;
  /** `busy`: somebody else holds the table; it is tried again after `waitMs`. */
  readonly state: 'started' | 'busy' | 'done';
  /** From 1. */
  readonly attempt: number;
  /** Only with `busy`. */
  readonly waitMs: number | undefined;
}

export interface ApplyOptions {
  readonly onProgress?: (progress: ApplyProgress) => void;
  /** How long a statement may queue for a lock, and everybody else behind it. Default 2000. */
  readonly lockTimeoutMs?: number;
  /** How long to wait before each further try, in ms. Default 500, 1000, 2000, 4000, 8000: six tries. */
  readonly retryDelaysMs?: readonly number[];
  /** Stops between statements and while waiting; a statement that runs is not cancelled. */
  readonly signal?: AbortSignal;
}

/** A step failed; those before it are done, and a new plan goes on from there. Never shows a secret. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
  readonly step: PlanStep;
  /** The server's SQLSTATE, if it was the server that refused. */
  readonly code: string | undefined;
  readonly fix: string;

  constructor(step: PlanStep, cause: unknown) {
    const code = sqlStateOf(cause);
    super(
      `${step.title}: ${maskSecret(reason(cause), step.secret)}${code === undefined ? '' : ` (${code})`}`,
      {
        // The server's error may quote the statement, and with it the password.
        ...(step.secret === undefined ? { cause } : {}),
      },
    );
    this.step = step;
    this.code = code;
    this.fix = fixFor(step, code);
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const lockNotAvailable = '55P03';
const deadlockDetected = '40P01';
const insufficientPrivilege = '42501';

/**
 * Runs the steps of a plan in their order, each on its own: a slot can't be made in a transaction that has
 * written, and no lock is held from one table to the next.
 *
 * An ALTER TABLE that waits for its lock makes every later query of that table wait behind it, so it gives up
 * after `lockTimeoutMs` and tries again: no application waits longer.
 *
 * @param client - an ordinary connection, not in a transaction, of a role that may do all this.
 * @throws {@link ApplyError} for the step that failed; the signal's reason, or an AbortError, when aborted.
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
  try {
    for (const step of steps) await applyStep(client, step, options);
  } finally {
    // A connection that is gone has nothing to restore, and its error would hide the first one.
    await setTimeouts(client, before.lock, before.statement).catch(() => undefined);
  }
}

async function applyStep(client: pg.ClientBase, step: PlanStep, options: ApplyOptions): Promise<void> {
  const { onProgress, lockTimeoutMs = 2_000, retryDelaysMs = [500, 1_000, 2_000, 4_000, 8_000] } = options;
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    onProgress?.({ step, state: 'started', attempt, waitMs: undefined });
    try {
      // A new slot waits for running transactions by locking their ids, which disturbs nobody and may last.
      const lockTimeout = step.kind === 'slot' ? '0' : `${lockTimeoutMs}ms`;
      await setTimeouts(client, lockTimeout, '0');
      await client.query(step.sql);
      onProgress?.({ step, state: 'done', attempt, waitMs: undefined });
      return;
    } catch (error) {
      // A step of several statements is a transaction of its own, and has failed.
      if (step.sql.startsWith('BEGIN;')) await client.query('ROLLBACK').catch(() => undefined);
      const code = sqlStateOf(error);
      const waitMs = retryDelaysMs[attempt - 1];
      if ((code !== lockNotAvailable && code !== deadlockDetected) || waitMs === undefined) {
        throw new ApplyError(step, error);
      }
      onProgress?.({ step, state: 'busy', attempt, waitMs });
      await delay(waitMs, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
}

async function setTimeouts(client: pg.ClientBase, lock: string, statement: string): Promise<void> {
  await client.query(
    `SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`,
    [lock, statement],
  );
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fixFor(step: PlanStep, code: string | undefined): string {
  if (code === lockNotAvailable) {
    return (
      'Another transaction holds it all the time. Find it with SELECT pid, application_name, xact_start, state ' +
      "FROM pg_stat_activity WHERE state <> 'idle' ORDER BY xact_start; and run the plan again when it has " +
      'ended: what is done stays done.'
    );
  }
  if (code === insufficientPrivilege) {
    return step.kind === 'identity'
      ? 'Run it as the owner of the table or as a superuser.'
      : 'Run it as a superuser, or on a hosted server as its administrator.';
  }
  return 'Correct what the server says and run the plan again: what is done stays done.';
}
