import { Button, Group, Popover, Stack, Text, TextInput } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { LogsAddress } from './logs-address.ts';
import { inputOfMoment, momentOfInput, presets, relativeText } from './moment-text.ts';

interface TimeFilterProps {
  readonly address: LogsAddress;
  readonly onChange: (times: Pick<LogsAddress, 'since' | 'until'>) => void;
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** When: a time back from now, which stays one in the address, or from and to. */
export function TimeFilter({ address, onChange }: TimeFilterProps) {
  const [isOpen, setIsOpen] = useState(false);
  const { since, until } = address;
  const relative = since === undefined ? undefined : relativeText(since);
  const isSet = since !== undefined || until !== undefined;
  const choose = (times: Pick<LogsAddress, 'since' | 'until'>): void => {
    setIsOpen(false);
    onChange(times);
  };
  return (
    <Popover
      opened={isOpen}
      onChange={setIsOpen}
      position="bottom-start"
      trapFocus
      shadow="md"
      keepMounted={false}
    >
      <Popover.Target>
        <Button
          variant={isSet ? 'light' : 'default'}
          size="sm"
          rightSection={<IconChevronDown size={14} aria-hidden />}
          onClick={() => setIsOpen(!isOpen)}
        >
          {isSet
            ? relative === undefined || until !== undefined
              ? 'From … to'
              : capital(relative)
            : 'Any time'}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Time">
        <Group gap={6} mb="sm" maw={300} role="group" aria-label="Back from now">
          {presets.map(([short, words]) => (
            <Button
              key={short}
              size="compact-sm"
              variant={since === short && until === undefined ? 'filled' : 'default'}
              onClick={() => choose({ since: short })}
            >
              {words}
            </Button>
          ))}
          <Button size="compact-sm" variant={isSet ? 'default' : 'filled'} onClick={() => choose({})}>
            Any time
          </Button>
        </Group>
        <Between since={since} until={until} onChoose={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

interface BetweenProps {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly onChoose: (times: Pick<LogsAddress, 'since' | 'until'>) => void;
}

function Between({ since, until, onChoose }: BetweenProps) {
  const initial = (moment: string | undefined): string =>
    inputOfMoment(moment !== undefined && relativeText(moment) === undefined ? moment : undefined);
  const [from, setFrom] = useState(initial(since));
  const [to, setTo] = useState(initial(until));
  const [fromMoment, toMoment] = [momentOfInput(from), momentOfInput(to)];
  const isTurned = fromMoment !== undefined && toMoment !== undefined && fromMoment >= toMoment;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isTurned) return;
    onChoose({
      ...(fromMoment === undefined ? {} : { since: fromMoment }),
      ...(toMoment === undefined ? {} : { until: toMoment }),
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <Text size="xs" c="dimmed">
          Times are those of {zone}.
        </Text>
        {(
          [
            ['From', from, setFrom, fromMoment],
            ['To', to, setTo, toMoment],
          ] as const
        ).map(([label, value, set, moment]) => (
          <TextInput
            key={label}
            type="datetime-local"
            step={1}
            size="sm"
            label={label}
            description={
              moment === undefined ? 'in UTC: –' : `in UTC: ${moment.slice(0, 19).replace('T', ' ')}`
            }
            value={value}
            onChange={(event) => set(event.currentTarget.value)}
            {...(label === 'To' && isTurned ? { error: 'It ends before it begins' } : {})}
          />
        ))}
        <Button
          type="submit"
          size="xs"
          disabled={isTurned || (fromMoment === undefined && toMoment === undefined)}
        >
          Show this time
        </Button>
      </Stack>
    </form>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
