import { Tooltip } from '@mantine/core';

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const dateTime = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const timeOfDay = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

interface MomentProps {
  /** ISO 8601 in UTC, with microseconds. */
  readonly at: string;
  /** Leave out the date where it is today's. */
  readonly isShort?: boolean;
}

/** A moment in the reader's zone; UTC, exact to the microsecond, is at hand. */
export function Moment({ at, isShort = false }: MomentProps) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return (
    <Tooltip
      label={`${at.replace('T', ' ').replace('Z', '')} UTC · shown in ${zone}`}
      events={{ hover: true, focus: true, touch: true }}
    >
      <time dateTime={at} className="tabular">
        {(isShort && isToday ? timeOfDay : dateTime).format(date)}
      </time>
    </Tooltip>
  );
}
