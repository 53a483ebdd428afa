import { Text } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { memo } from 'react';
import { type EntryGroup, groupSummary } from './entry-groups.ts';
import { RowTime } from './row-time.tsx';

interface GroupRowProps {
  readonly group: EntryGroup;
  readonly isOpen: boolean;
  readonly isActive: boolean;
  readonly onToggle: (key: string) => void;
  readonly onFocus: (key: string) => void;
}

/** What entries have in common, how many there are so far, and what they did. */
export const GroupRow = memo(function GroupRow({
  group,
  isOpen,
  isActive,
  onToggle,
  onFocus,
}: GroupRowProps) {
  const { key, title, entries } = group;
  return (
    <button
      type="button"
      className="group-row"
      aria-expanded={isOpen}
      tabIndex={isActive ? 0 : -1}
      data-entry={key}
      data-open={isOpen || undefined}
      onFocus={() => onFocus(key)}
      onClick={() => onToggle(key)}
    >
      <IconChevronRight size={16} aria-hidden className="chevron" />
      <RowTime at={entries[0]!.timestamp} />
      <span className="entry-sentence">
        <Text span inherit fw={600}>
          {title}
        </Text>{' '}
        — {groupSummary(entries)}
      </span>
      <span className="group-count tabular">
        {entries.length.toLocaleString()} {entries.length === 1 ? 'entry' : 'entries'}
      </span>
    </button>
  );
});
