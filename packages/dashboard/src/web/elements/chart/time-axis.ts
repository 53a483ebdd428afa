/** Of one mark of a time axis in the reader's zone: as much as tells it from its neighbours. */
export function tickText(at: Date): string {
  if (at.getHours() !== 0 || at.getMinutes() !== 0) return timeOfDay.format(at);
  if (at.getDate() !== 1) return day.format(at);
  return at.getMonth() === 0 ? String(at.getFullYear()) : month.format(at);
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat(undefined, { month: 'short' });

/** Of marks in their order those that don't touch; where two would, the one that begins a month or a day stays. */
export function apartTicks(ticks: readonly Date[], x: (at: Date) => number, pixels: number): readonly Date[] {
  const kept: Date[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (before === undefined || x(tick) - x(before) >= pixels) kept.push(tick);
    else if (rank(tick) > rank(before)) kept[kept.length - 1] = tick;
  }
  return kept;
}

function rank(at: Date): number {
  if (at.getHours() !== 0 || at.getMinutes() !== 0) return 0;
  return at.getDate() !== 1 ? 1 : at.getMonth() !== 0 ? 2 : 3;
}

/**
 * Which of the times a moment belongs to: of steps the one that it lies in, of samples the nearest.
 *
 * @param times - in their order, at least one.
 */
export function timeAt(times: readonly Date[], moment: number, kind: 'steps' | 'samples'): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle]!.getTime() <= moment) low = middle;
    else high = middle - 1;
  }
  const next = times[low + 1];
  const isNextNearer =
    next !== undefined && next.getTime() - moment < moment - (times[low]?.getTime() ?? moment);
  return kind === 'samples' && isNextNearer ? low + 1 : low;
}
