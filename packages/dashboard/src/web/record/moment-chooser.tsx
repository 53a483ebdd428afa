import { ActionIcon, Button, Group, Text, TextInput } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import type { LifeEvent } from './record-life.ts';

interface MomentChooserProps {
  /** The newest first. */
  readonly events: readonly LifeEvent[];
  /** Of the last event at the chosen moment. */
  readonly index: number;
  /** The moment, where it was chosen by time. */
  readonly at: string | undefined;
  readonly isNow: boolean;
  onIndex(index: number): void;
  /** ISO 8601 in UTC; `undefined` for now. */
  onTime(at: string | undefined): void;
}

/** A way through a record's life: change by change, by sliding, or to a time. */
export function MomentChooser({ events, index, at, isNow, onIndex, onTime }: MomentChooserProps) {
  const event = events[index];
  const last = events.length - 1;
  return (
    <div className="moment-chooser">
      <Group gap="xs" wrap="nowrap">
        <ActionIcon
          variant="default"
          aria-label="The change before"
          disabled={index >= last}
          onClick={() => onIndex(index + 1)}
        >
          <IconChevronLeft size={16} aria-hidden />
        </ActionIcon>
        <input
          type="range"
          className="moment-slider"
          aria-label="Moment"
          aria-valuetext={event ? `${events.length - index} of ${events.length}` : 'before its first change'}
          min={0}
          max={Math.max(last, 0)}
          disabled={last <= 0}
          // The oldest is on the left; an index counts from the newest.
          value={Math.max(last - index, 0)}
          onChange={({ currentTarget }) => onIndex(last - Number(currentTarget.value))}
        />
        <ActionIcon
          variant="default"
          aria-label="The change after"
          disabled={index <= 0}
          onClick={() => onIndex(index - 1)}
        >
          <IconChevronRight size={16} aria-hidden />
        </ActionIcon>
        <Button variant="default" size="compact-sm" disabled={isNow} onClick={() => onTime(undefined)}>
          Now
        </Button>
      </Group>
      <Group gap="xs" justify="space-between" mt={4}>
        <Text size="xs" c="dimmed" className="tabular">
          {event ? `Change ${events.length - index} of ${events.length}` : 'Before its first change'}
        </Text>
        <TextInput
          type="datetime-local"
          step={1}
          size="xs"
          aria-label={`As it was at this time (${Intl.DateTimeFormat().resolvedOptions().timeZone})`}
          value={localText(at ?? event?.entry.timestamp)}
          onChange={({ currentTarget }) => {
            const time = new Date(currentTarget.value);
            // What was committed within that second was done by then.
            if (!Number.isNaN(time.getTime())) onTime(new Date(time.getTime() + 999).toISOString());
          }}
        />
      </Group>
    </div>
  );
}

/** `2026-01-31T08:30:00` in the reader's zone, as such a field has it. */
function localText(at: string | undefined): string {
  if (at === undefined) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
