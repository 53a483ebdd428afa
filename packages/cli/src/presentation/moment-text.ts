const formatters = new Map<string | undefined, Intl.DateTimeFormat>();

/** `2025-12-09 10:30:00` in a time zone, by default that of the process. */
export function momentText(moment: string | Date, timeZone?: string): string {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    // The Swedish form of dates is the ISO one.
    formatter = new Intl.DateTimeFormat('sv-SE', {
      dateStyle: 'short',
      timeStyle: 'medium',
      ...(timeZone ? { timeZone } : {}),
    });
    formatters.set(timeZone, formatter);
  }
  return formatter.format(new Date(moment));
}

const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** `3 minutes ago`. Clocks differ between machines: what seems to lie ahead is `just now`. */
export function ageText(moment: string | Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - new Date(moment).getTime()) / 1_000);
  for (const [length, unit] of units) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
  }
  return 'just now';
}
