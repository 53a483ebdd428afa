import type { ActivityStep } from '../../api/activity.ts';

const dayForm = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;
const monthForm = { month: 'long', year: 'numeric' } as const;
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const utcTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const isUtc =
  new Date(2026, 0, 1).getTimezoneOffset() === 0 && new Date(2026, 6, 1).getTimezoneOffset() === 0;

/** What a step of the chart is called: hours in the reader's zone, with those of UTC; what is longer in the zone that it is of. */
export function stepText(step: ActivityStep, zone: string, from: Date, to: Date): string {
  const timeZone = step === 'hour' ? undefined : zone;
  const day = new Intl.DateTimeFormat(undefined, { ...dayForm, timeZone });
  if (step === 'month') return new Intl.DateTimeFormat(undefined, { ...monthForm, timeZone }).format(from);
  if (step === 'week') return `${day.format(from)} – ${day.format(new Date(to.getTime() - 1))}`;
  if (step === 'day') return day.format(from);
  return `${day.format(from)}, ${time.format(from)} – ${time.format(to)}${isUtc ? '' : ` (${utcTime.format(from)} UTC)`}`;
}
