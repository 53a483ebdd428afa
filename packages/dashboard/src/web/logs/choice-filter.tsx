import { Button, Checkbox, Popover, Stack, Text, TextInput } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { useState } from 'react';

interface ChoiceFilterProps {
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly shown: string }[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

/** So many options are looked through by eye. */
const fewOptions = 10;

/** Any of several: a button, and below it a list to tick. */
export function ChoiceFilter({ label, options, chosen, onChange }: ChoiceFilterProps) {
  const [wanted, setWanted] = useState('');
  const shown = options.filter((option) => option.shown.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Popover position="bottom-start" trapFocus shadow="md" keepMounted={false}>
      <Popover.Target>
        <Button
          variant={chosen.length > 0 ? 'light' : 'default'}
          size="sm"
          rightSection={<IconChevronDown size={14} aria-hidden />}
        >
          {label}
          {chosen.length > 0 && ` (${chosen.length})`}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={label}>
        {options.length > fewOptions && (
          <TextInput
            size="xs"
            mb="xs"
            placeholder="Find"
            aria-label={`Find among ${label.toLowerCase()}`}
            value={wanted}
            onChange={(event) => setWanted(event.currentTarget.value)}
          />
        )}
        <Stack gap={6} className="choices" role="group" aria-label={label}>
          {shown.map((option) => (
            <Checkbox
              key={option.value}
              size="sm"
              label={option.shown}
              checked={chosen.includes(option.value)}
              onChange={(event) =>
                onChange(
                  event.currentTarget.checked
                    ? [...chosen, option.value]
                    : chosen.filter((each) => each !== option.value),
                )
              }
            />
          ))}
          {shown.length === 0 && (
            <Text size="sm" c="dimmed">
              {options.length === 0 ? 'Nothing is recorded yet' : 'None of this name'}
            </Text>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
