import { CloseButton, Group, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { useTables } from '../api/use-logs.ts';
import { tableName } from '../entries/table-name.ts';
import { AddFilter } from './add-filter.tsx';
import { ChoiceFilter } from './choice-filter.tsx';
import { FilterChips } from './filter-chips.tsx';
import { type LogsAddress, type Operation, operations, withoutValue } from './logs-address.ts';
import { TimeFilter } from './time-filter.tsx';

interface FilterBarProps {
  readonly log: string | undefined;
  readonly address: LogsAddress;
  readonly searchInput: RefObject<HTMLInputElement | null>;
  /** @param isTyping - it goes on changing: no place of its own in the browser's history. */
  readonly onChange: (address: LogsAddress, isTyping?: boolean) => void;
}

/** What the log is searched by: text, time, tables and operations with a control each, all else by `Filter`. */
export function FilterBar({ log, address, searchInput, onChange }: FilterBarProps) {
  const tables = useTables(log).data ?? [];
  const { since: _, until: __, ...timeless } = address;
  return (
    <>
      <Group gap="xs" role="search" aria-label="Search the log" className="filter-bar">
        <TextSearch
          text={address.text}
          input={searchInput}
          onChange={(text) =>
            onChange(text === '' ? withoutValue(address, 'text') : { ...address, text }, true)
          }
        />
        <TimeFilter address={address} onChange={(times) => onChange({ ...timeless, ...times })} />
        <ChoiceFilter
          label="Tables"
          options={tables.map(({ schema, table }) => ({
            value: tableName(schema, table),
            shown: schema === 'public' ? table : `${schema}.${table}`,
          }))}
          chosen={address.table ?? []}
          onChange={(chosen) => onChange(withChosen(address, 'table', chosen))}
        />
        <ChoiceFilter
          label="Operations"
          options={operations.map((value) => ({ value, shown: value }))}
          chosen={address.operation ?? []}
          onChange={(chosen) => onChange(withChosen(address, 'operation', chosen as readonly Operation[]))}
        />
        <AddFilter address={address} tables={tables} onChange={onChange} />
      </Group>
      <FilterChips address={address} onChange={onChange} />
    </>
  );
}

function withChosen(
  address: LogsAddress,
  name: 'table' | 'operation',
  chosen: readonly string[],
): LogsAddress {
  return chosen.length === 0 ? withoutValue(address, name) : { ...address, [name]: chosen };
}

/** A search by text looks at the log itself: not at each letter, but when the typing pauses. */
const pauseMs = 450;

interface TextSearchProps {
  readonly text: string | undefined;
  readonly input: RefObject<HTMLInputElement | null>;
  readonly onChange: (text: string) => void;
}

function TextSearch({ text = '', input, onChange }: TextSearchProps) {
  const [typed, setTyped] = useState(text);
  const [seen, setSeen] = useState(text);
  const sent = useRef(text);
  if (text !== seen) {
    setSeen(text);
    // The address was changed by something else: a chip, the way back. What was sent from here may be behind what is typed.
    if (text !== sent.current) setTyped(text);
  }
  const send = useRef((_: string) => {});
  send.current = (value) => {
    if (value === text) return;
    sent.current = value;
    onChange(value);
  };
  useEffect(() => {
    const timer = window.setTimeout(() => send.current(typed.trim()), pauseMs);
    return () => window.clearTimeout(timer);
  }, [typed]);
  return (
    <TextInput
      ref={input}
      className="text-search"
      type="search"
      placeholder="Search keys, values, contexts"
      aria-label="Search keys, values and contexts"
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={
        typed !== '' && <CloseButton size="sm" aria-label="Clear the text" onClick={() => setTyped('')} />
      }
      value={typed}
      maxLength={500}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') send.current(typed.trim());
        if (event.key !== 'Escape') return;
        // The browser would clear it: Escape leads back to the entries that were found.
        event.preventDefault();
        event.currentTarget.blur();
      }}
    />
  );
}
