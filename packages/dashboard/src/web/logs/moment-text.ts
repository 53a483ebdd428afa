const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const relative = /^(\d{1,6})([mhd])$/;

/** Times back from now that are offered: as the address has them, and in words. */
export const presets = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const;

/** The moment that `24h` or `2026-01-31T08:30:00Z` means, in UTC; `undefined` where it means none. */
export function momentOf(text: string, now: Date): string | undefined {
  const [, count, unit] = relative.exec(text) ?? [];
  const at =
    count !== undefined && unit !== undefined
      ? now.getTime() - Number(count) * units[unit as keyof typeof units]
      : Date.parse(text);
  // Outside of these years there is no log, and a date would be written in another form.
  if (Number.isNaN(at) || at < 0 || at > 253_402_300_799_000) return undefined;
  return new Date(at).toISOString();
}

/** `last 24 hours`, or `undefined` for a moment. */
export function relativeText(text: string): string | undefined {
  const preset = presets.find(([short]) => short === text);
  if (preset) return preset[1].toLowerCase();
  const [, count, unit] = relative.exec(text) ?? [];
  const names = { m: 'minutes', h: 'hours', d: 'days' } as const;
  return count === undefined ? undefined : `last ${count} ${names[unit as keyof typeof names]}`;
}

/** Of an `<input type="datetime-local">`, which speaks of the reader's zone: the moment in UTC, and back. */
export function momentOfInput(value: string): string | undefined {
  const at = new Date(value);
  return value === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export function inputOfMoment(moment: string | undefined): string {
  if (moment === undefined) return '';
  const at = new Date(moment);
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}` +
    `T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  );
}
