import { maskSecret, type PlanStep } from './plan-step.ts';
import { sqlStateOf } from './sql-state.ts';

/** A step that could not be done. Never shows a secret. */
export interface UndoneStep {
  readonly step: PlanStep;
  /** What the server said, with its SQLSTATE; or which step it waits for. */
  readonly reason: string;
  /** The server's SQLSTATE, if it was the server that refused. */
  readonly code: string | undefined;
  readonly fix: string;
  /** Who held the table at the last try, such as `pid 4711 (nightly import)`. */
  readonly holders: readonly string[];
}

/** A step failed; what could be done without it is done, and a new plan goes on from there. Never shows a secret. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError';
  readonly step: PlanStep;
  /** The server's SQLSTATE, if it was the server that refused. */
  readonly code: string | undefined;
  readonly fix: string;
  /** Everything that is not done, this step first. */
  readonly undone: readonly [UndoneStep, ...UndoneStep[]];

  constructor(undone: readonly [UndoneStep, ...UndoneStep[]], cause: unknown) {
    const [{ step, reason, code, fix }, ...others] = undone;
    const more = others.length === 0 ? '' : `; and ${others.length} more steps are not done`;
    // The server's error may quote the statement, and with it the password.
    super(
      `${step.title}: ${reason}${more}`,
      step.secret === undefined && cause !== undefined ? { cause } : {},
    );
    this.step = step;
    this.code = code;
    this.fix = fix;
    this.undone = undone;
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const lockNotAvailable = '55P03';
const deadlockDetected = '40P01';
const insufficientPrivilege = '42501';
const undefinedTable = '42P01';

/** Whether somebody else's lock was in the way, so that trying again makes sense. */
export function isBusy(error: unknown): boolean {
  const code = sqlStateOf(error);
  return code === lockNotAvailable || code === deadlockDetected;
}

/** Whether the table was dropped after the plan was made. */
export function isGone(error: unknown): boolean {
  return sqlStateOf(error) === undefinedTable;
}

export function undoneBecause(step: PlanStep, error: unknown, holders: readonly string[] = []): UndoneStep {
  const code = sqlStateOf(error);
  const reason = error instanceof Error ? error.message : String(error);
  const held = holders.length === 0 ? '' : `; held by ${holders.join(', ')}`;
  return {
    step,
    reason: maskSecret(`${reason}${code === undefined ? '' : ` (${code})`}${held}`, step.secret),
    code,
    fix: fixFor(step, code, holders),
    holders,
  };
}

/** @param missing - the step whose failure leaves this one out. */
export function leftOut(step: PlanStep, missing: UndoneStep): UndoneStep {
  const reason = `left out, because it would do harm without this: ${missing.step.title}`;
  return { step, reason, code: undefined, fix: missing.fix, holders: [] };
}

function fixFor(step: PlanStep, code: string | undefined, holders: readonly string[]): string {
  if (code === lockNotAvailable || code === deadlockDetected) {
    const who =
      holders.length === 0
        ? 'SELECT pid, application_name, xact_start, state FROM pg_stat_activity WHERE xact_start IS NOT NULL ' +
          'ORDER BY xact_start; shows the oldest transactions. '
        : '';
    return (
      `Another transaction holds it all the time: end that (SELECT pg_terminate_backend(pid);), or wait. ${who}Then run ` +
      'the same again: what is done stays done.'
    );
  }
  if (code === insufficientPrivilege) {
    if (step.id === 'publication create' && step.sql.includes('FOR ALL TABLES')) {
      return (
        'FOR ALL TABLES takes a superuser, or whom a provider puts in its place. Or publish each table that there is now: ' +
        "--tables '*'"
      );
    }
    return step.kind === 'identity'
      ? 'Run it as the owner of the table or as a superuser.'
      : 'Run it as a superuser, or on a hosted server as its administrator.';
  }
  return 'Correct what the server says and run the plan again: what is done stays done.';
}
