const units = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** A size for people, `12.4 MB`; in powers of 1,024, as PostgreSQL's `pg_size_pretty`. */
export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} bytes`;
  let value = bytes;
  let unit = '';
  for (const each of units) {
    if (value < 1_024) break;
    value /= 1_024;
    unit = each;
  }
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
