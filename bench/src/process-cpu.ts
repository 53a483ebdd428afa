import { readFileSync } from 'node:fs';

/**
 * CPU seconds that these processes have used, each of one thread; null where there is no /proc.
 *
 * @see https://docs.kernel.org/scheduler/sched-stats.html
 */
export function cpuSecondsOf(pids: readonly number[]): number | null {
  try {
    let nanoseconds = 0;
    for (const pid of pids)
      nanoseconds += Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]);
    return nanoseconds / 1e9;
  } catch {
    return null;
  }
}
