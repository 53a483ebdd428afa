import type { ActivityStep } from '../../api/activity.ts';

const day = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const utcTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const month = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });
const isUtc =
  new Date(2026, 0, 1).getTimezoneOffset() === 0 && new Date(2026, 6, 1).getTimezoneOffset() === 0;

/** What a step of the chart is called, in the reader's zone; of hours, with those of UTC. */
export function stepText(step: ActivityStep, from: Date, to: Date): string {
  if (step === 'month') return month.format(from);
  if (step === 'week') return `${day.format(from)} – ${day.format(new Date(to.getTime() - 1))}`;
  if (step === 'day') return day.format(from);
  return `${day.format(from)}, ${time.format(from)} – ${time.format(to)}${isUtc ? '' : ` (${utcTime.format(from)} UTC)`}`;
}
