import type { SeenWorker } from '@bemi-db/trail/health/read-health';
import { expect, test } from 'vitest';
import { inSteadyOrder, judgeAccessRecording, judgeWorkers } from './judge-workers.ts';

function worker(
  state: SeenWorker['state'],
  secondsSinceSeen = 1,
  accessState: SeenWorker['state'] | null = null,
) {
  return {
    ...{ log: 'clinic', instance: state, host: 'one', pid: 1, version: null, state, problem: null },
    ...{ accessState, accessProblem: null, startedAt: 'started', stateSince: 'since', seenAt: 'seen' },
    ...{ lagBytes: null, lagSeconds: null, retainedBytes: null, safeBytes: null, databaseBytes: null },
    secondsSinceSeen,
  } satisfies SeenWorker;
}

test('the worker that matters most says how a log is doing', () => {
  const stateOf = (...workers: SeenWorker[]) => judgeWorkers(workers).state;
  expect(stateOf()).toBe('unseen');
  expect(stateOf(worker('standby'), worker('recording'))).toBe('recording');
  expect(stateOf(worker('refused'), worker('recording'))).toBe('recording');
  expect(stateOf(worker('standby'), worker('waiting'))).toBe('waiting');
  expect(stateOf(worker('standby'), worker('recording', 900))).toBe('standby');
  expect(stateOf(worker('stopped', 900), worker('recording', 1_800))).toBe('stopped');
  expect(stateOf(worker('refused', 80_000))).toBe('refused');
  expect(judgeWorkers([worker('recording', 900), worker('stopped', 1_800)])).toMatchObject({
    state: 'silent',
    since: 'seen',
  });
});

test('workers stay where they are while they take turns in being seen', () => {
  const [records, waits, ended] = [worker('recording', 40), worker('standby', 2), worker('stopped', 900)];
  expect(inSteadyOrder([waits, records, ended])).toEqual([records, waits, ended]);
  expect(inSteadyOrder([worker('recording', 1), ended, waits]).map(({ state }) => state)).toEqual([
    ...['recording', 'standby', 'stopped'],
  ]);
});

test('one process that records accesses is enough', () => {
  expect(judgeAccessRecording([worker('recording')])).toBeUndefined();
  const found = judgeAccessRecording([worker('recording', 1, 'standby'), worker('standby', 1, 'recording')]);
  expect(found?.accessState).toBe('recording');
  expect(judgeAccessRecording([worker('recording', 900, 'recording')])).toBeUndefined();
});
