import type { ReportedProblem, ReportedState } from '@bemi-db/trail/health/report-health';
import type { Problem } from '../problem.ts';
import type { WorkerState } from '../worker-status.ts';

/** Codes of problems that are none: another worker has the log. */
const standbyCodes: readonly string[] = ['log-in-use', 'taken-over'];

/** Whether a worker waits for no other reason than that another one records the log. */
export function isStandby({ state, problem }: Observed): boolean {
  return state === 'waiting' && problem !== undefined && standbyCodes.includes(problem.code);
}

interface Observed {
  readonly state: WorkerState;
  readonly problem: Problem | undefined;
}

/** What a worker is doing, for people who don't see its process. */
export function reportedState(observed: Observed): ReportedState {
  if (isStandby(observed)) return 'standby';
  return observed.state === 'stopped' && observed.problem ? 'refused' : observed.state;
}

export function reportedProblem(problem: Problem | undefined): ReportedProblem | undefined {
  return problem && { code: problem.code, message: problem.message, fix: problem.fix };
}
