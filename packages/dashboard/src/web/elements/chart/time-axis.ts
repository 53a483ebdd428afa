/** Of one mark of a time axis in the reader's zone: as much as tells it from its neighbours. */
export function tickText(at: Date): string {
  if (at.getHours() !== 0 || at.getMinutes() !== 0) return timeOfDay.format(at);
  if (at.getDate() !== 1) return day.format(at);
  return at.getMonth() === 0 ? String(at.getFullYear()) : month.format(at);
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const month = new Intl.DateTimeFormat(undefined, { month: 'short' });

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
