import type { RecordedState } from '@bemi-db/dashboard/server/sources/source-services';
import type { WorkerStatus } from '@bemi-db/worker/worker-status';
import type { ExplainedError } from '../output/explain-error.ts';
import type { Pipeline } from './pipeline.ts';

/** How the recording of each source is going, for people. */
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
    ...pipelines.map(({ name, worker }): [string, RecordedState] => {
      const { state, problem } = worker.status();
      return [name, { state: stateOf(state), problem: problem && shown(problem) }];
    }),
  ]);
}

/** A worker that stopped by itself refuses to go on. */
function stateOf(state: WorkerStatus['state']): RecordedState['state'] {
  if (state === 'stopped') return 'refused';
  return state === 'recording' ? 'recording' : 'waiting';
}
