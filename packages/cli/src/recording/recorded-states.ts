import type { RecordedState } from '@bemi-db/dashboard/server/sources/source-services';
import { isStandby } from '@bemi-db/worker/health/reported-state';
import type { WorkerStatus } from '@bemi-db/worker/worker-status';
import type { ExplainedError } from '../output/explain-error.ts';
import type { Pipeline } from './pipeline.ts';

/** How the recording of each source is going, for people. Not where another process does it: its own word counts. */
export function recordedStates(
  pipelines: readonly Pipeline[],
  problems: ReadonlyMap<string, ExplainedError>,
): ReadonlyMap<string, RecordedState> {
  const shown = ({ code, message, fix }: Pick<ExplainedError, 'code' | 'message' | 'fix'>) => ({
    code,
    message,
    fix,
  });
  return new Map([
    ...[...problems].map(([name, problem]): [string, RecordedState] => [
      name,
      { state: 'refused', problem: shown(problem) },
    ]),
    ...pipelines.flatMap(({ name, worker, triedAgainAt }): [string, RecordedState][] => {
      const status = worker.status();
      const { state, problem } = status;
      return isStandby(status)
        ? []
        : [[name, { state: stateOf(state), problem: problem && shown(problem), triedAgainAt }]];
    }),
  ]);
}

/** A worker that stopped by itself refuses to go on. */
function stateOf(state: WorkerStatus['state']): RecordedState['state'] {
  if (state === 'stopped') return 'refused';
  return state === 'recording' ? 'recording' : 'waiting';
}
