import { ActionIcon } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type LogsAddress, type SeveralName, withValue } from '../logs/logs-address.ts';

interface FilterByProps {
  readonly name: keyof LogsAddress;
  readonly value: string;
  /** What then is shown: `changes of status`. */
  readonly label: string;
}

/** Leads to the same logs, with one more filter. */
export function FilterBy({ name, value, label }: FilterByProps) {
  return (
    <ActionIcon
      component={Link}
      to="/logs"
      search={((address: LogsAddress) => narrowed(address, name, value)) as never}
      size={22}
      variant="subtle"
      color="gray"
      className="filter-by"
      aria-label={`Only ${label}`}
      title={`Only ${label}`}
    >
      <IconFilter size={13} aria-hidden />
    </ActionIcon>
  );
}

const several = new Set<keyof LogsAddress>([
  'table',
  'context',
  'changed',
  'value',
  'operation',
  'authenticity',
]);

/** One more filter: another value where a name holds several, else in place of the one before. */
export function narrowed(address: LogsAddress, name: keyof LogsAddress, value: string): LogsAddress {
  // Several tables mean any of them; one that is chosen by a click means that one.
  if (name === 'table' || name === 'operation') return { ...address, [name]: [value] };
  return several.has(name) ? withValue(address, name as SeveralName, value) : { ...address, [name]: value };
}
