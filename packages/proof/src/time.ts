const MICROSECONDS_TO_2000 = 946_684_800_000_000n;

/**
 * A record's time (microseconds since 2000-01-01 00:00:00 UTC) as RFC 3339 in UTC with microseconds; PostgreSQL's
 * `infinity` and `-infinity` by these names, and what no JavaScript Date can hold as a count of microseconds.
 */
export function formatTime(time: bigint): string {
  if (time === 0x7fffffffffffffffn) return 'infinity';
  if (time === -0x8000000000000000n) return '-infinity';
  const microseconds = time + MICROSECONDS_TO_2000;
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const date = new Date(Number((microseconds - fraction) / 1000n));
  if (Number.isNaN(date.getTime())) return `${time} µs since 2000-01-01T00:00:00Z`;
  return `${date.toISOString().slice(0, -'.000Z'.length)}.${String(fraction).padStart(6, '0')}Z`;
}
