import type { SeenWorker } from '@bemi-db/trail/health/read-health';
import type { LogHealth } from '../api/health.ts';

/** A worker says once a minute that it is there. */
const silentSeconds = 150;

const ended: readonly SeenWorker['state'][] = ['stopped', 'refused'];

/** Whether it should have been seen since. One that has ended has said so. */
export function isSilent({ state, secondsSinceSeen }: SeenWorker): boolean {
  return !ended.includes(state) && secondsSinceSeen > silentSeconds;
}

/** How a log is doing, by the worker that matters most. */
export interface JudgedLog {
  readonly state: LogHealth['state'];
  readonly since: string | null;
  readonly worker: SeenWorker | undefined;
}

/** From the state that counts most: where one worker records, nothing is wrong with the others. */
const order: readonly SeenWorker['state'][] = [
  'recording',
  'waiting',
  'starting',
  'stopping',
  'standby',
  'refused',
  'stopped',
];

/** @param workers - of one log, who was seen last first. */
export function judgeWorkers(workers: readonly SeenWorker[]): JudgedLog {
  const [latest] = workers;
  if (!latest) return { state: 'unseen', since: null, worker: undefined };
  const worker = liveWorker(workers) ?? latest;
  if (isSilent(worker)) return { state: 'silent', since: worker.seenAt, worker };
  return { state: worker.state, since: worker.stateSince, worker };
}

/** Of those of a log that were seen until now, the one that matters most. */
export function liveWorker(workers: readonly SeenWorker[]): SeenWorker | undefined {
  return workers
    .filter(({ secondsSinceSeen }) => secondsSinceSeen <= silentSeconds)
    .toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state))[0];
}

/** Those that are there first, by what they do; in the same order from one look to the next, as long as they go on. */
export function inSteadyOrder(workers: readonly SeenWorker[]): readonly SeenWorker[] {
  const place = ({ state, secondsSinceSeen }: SeenWorker): number =>
    secondsSinceSeen <= silentSeconds ? order.indexOf(state) : order.length;
  return workers.toSorted(
    (one, other) =>
      place(one) - place(other) ||
      (place(one) < order.length ? one.instance.localeCompare(other.instance) : 0),
  );
}

/** The recording of accesses, which any of the processes may do. */
export function judgeAccessRecording(workers: readonly SeenWorker[]): SeenWorker | undefined {
  return workers
    .filter(({ accessState, secondsSinceSeen }) => accessState !== null && secondsSinceSeen <= silentSeconds)
    .toSorted((one, other) => order.indexOf(one.accessState!) - order.indexOf(other.accessState!))[0];
}
