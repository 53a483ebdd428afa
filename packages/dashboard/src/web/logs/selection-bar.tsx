import { Button, Group, Text } from '@mantine/core';
import type { Entry } from '../../api/entry.ts';
import { CopyEntries } from '../entries/copy-entries.tsx';

interface SelectionBarProps {
  readonly entries: readonly Entry[];
  readonly selected: ReadonlySet<string>;
  readonly log: string | undefined;
  readonly onClear: () => void;
}

/** What can be done with the entries that are selected. */
export function SelectionBar({ entries, selected, log, onClear }: SelectionBarProps) {
  if (selected.size === 0 || log === undefined) return null;
  const chosen = entries.filter(({ sequence }) => selected.has(sequence));
  return (
    <section className="selection-bar" aria-label="Selected entries">
      <Group gap="sm">
        <Text size="sm" fw={600} role="status">
          {chosen.length.toLocaleString()} selected
        </Text>
        <CopyEntries key={[...selected].join()} entries={chosen} log={log} />
        <Button size="compact-sm" variant="subtle" onClick={onClear}>
          Clear
        </Button>
      </Group>
    </section>
  );
}
