const timeOfDay = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

/**
 * A moment at the beginning of a line: today the time alone. UTC is in its title, because a list has too many lines for a
 * tooltip of its own on each.
 */
export function RowTime({ at }: { readonly at: string }) {
  const date = new Date(at);
  const now = new Date();
  const isToday = date.toDateString() === now.toDateString();
  const before = isToday
    ? ''
    : `${(date.getFullYear() === now.getFullYear() ? day : dayOfYear).format(date)} `;
  return (
    <time dateTime={at} title={`${at.replace('T', ' ').replace('Z', '')} UTC`} className="row-time tabular">
      {before}
      {timeOfDay.format(date)}
    </time>
  );
}
