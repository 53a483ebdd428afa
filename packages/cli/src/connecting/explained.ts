import type { ConnectionAttempt } from '@bemi-db/source/connection-attempt';
import { explainProblem, ProblemError } from '@bemi-db/worker/problem';
import { CliError } from '../cli-error.ts';

/** Does what needs a database, so that its errors are explained by what was being done. */
export async function explained<T>(attempt: ConnectionAttempt, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CliError || error instanceof ProblemError || isExplained(error)) throw error;
    throw new ProblemError(explainProblem(error, attempt), error);
  }
}

/** These errors say themselves what to do. */
function isExplained(error: unknown): boolean {
  return error instanceof Error && ['PlanError', 'ApplyError', 'TrailRolesError'].includes(error.name);
}
