import { isSilent } from '@bemi-db/dashboard/server/judge-workers';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { hasHealth, type SeenWorker, seenWorkers } from '@bemi-db/trail/health/read-health';
import type pg from 'pg';
import { ageText, momentText } from '../presentation/moment-text.ts';
import { countedText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** A process that records a log, waits to take over, or did either, as it said itself in the audit database. */
export interface WorkerStatus
  extends Pick<
    SeenWorker,
    'instance' | 'host' | 'pid' | 'version' | 'state' | 'problem' | 'startedAt' | 'stateSince' | 'seenAt'
  > {
  /** It has not said for minutes that it is there, nor that it ended. */
  readonly isSilent: boolean;
}

const ended: readonly SeenWorker['state'][] = ['stopped', 'refused'];
const mostShown = 5;

/** Those that have not ended; where there are none, the last one that has. Who was seen last first. */
export async function workersOf(client: pg.ClientBase, log: string): Promise<readonly WorkerStatus[]> {
  const workers = (await hasHealth(client)) ? await seenWorkers(client) : [];
  const own = workers.filter((worker) => worker.log === log);
  const live = own.filter(({ state }) => !ended.includes(state));
  return (live.length > 0 ? live : own.slice(0, 1)).map((worker) => {
    const { instance, host, pid, version, state, problem, startedAt, stateSince, seenAt } = worker;
    return {
      ...{ instance, host, pid, version, state, problem, startedAt, stateSince, seenAt },
      isSilent: isSilent(worker),
    };
  });
}

/** A line for each: those that record before those that wait. */
export function workersText(workers: readonly WorkerStatus[], style: TextStyle, now: Date): string {
  const { colors } = style;
  const sorted = workers.toSorted((one, other) => rankOf(one) - rankOf(other));
  const lines = sorted.slice(0, mostShown).map((worker) => {
    const { host, pid, problem } = worker;
    const process = harmless(`process ${pid} on ${host}`);
    const said = problem && worker.state !== 'standby' ? `: ${harmless(problem.code)}` : '';
    return `${stateText(worker, style, now)}${said}, ${colors.dim(process)}`;
  });
  const more = sorted.length - lines.length;
  return [...lines, ...(more > 0 ? [colors.dim(`and ${countedText(String(more), 'other')}`)] : [])].join(
    '\n',
  );
}

function stateText(
  { state, isSilent: isMute, stateSince, seenAt }: WorkerStatus,
  style: TextStyle,
  now: Date,
) {
  const { colors, timeZone } = style;
  if (isMute) return colors.yellow(`silent: ${state} when it was last seen, ${ageText(seenAt, now)}`);
  const since = `${state} since ${momentText(stateSince, timeZone)}`;
  if (state === 'recording' || state === 'standby') return colors.green(since);
  return ended.includes(state) ? `${state} ${ageText(stateSince, now)}` : colors.yellow(since);
}

function rankOf({ state, isSilent: isMute }: WorkerStatus): number {
  return isMute ? 2 : state === 'recording' ? 0 : 1;
}
