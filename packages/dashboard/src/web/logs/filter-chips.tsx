import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import { keyText } from '@bemi-db/trail/facts/key-text';
import { Button, CloseButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { Moment } from '../elements/moment.tsx';
import { isFiltered, type LogsAddress, withoutFilter, withoutValue } from './logs-address.ts';
import { relativeText } from './moment-text.ts';

interface FilterChipsProps {
  readonly address: LogsAddress;
  readonly onChange: (address: LogsAddress) => void;
}

interface Chip {
  readonly name: keyof LogsAddress;
  readonly value: string | undefined;
  readonly label: string;
  readonly shown: ReactNode;
}

/** What is filtered by, each with its cross. */
export function FilterChips({ address, onChange }: FilterChipsProps) {
  if (!isFiltered(address)) return null;
  return (
    <ul className="chips" aria-label="Active filters">
      {chipsOf(address).map(({ name, value, label, shown }) => (
        <li key={`${name} ${value}`} className="chip">
          <span>
            {label} <b>{shown}</b>
          </span>
          <CloseButton
            size="xs"
            aria-label={`Remove the filter ${label} ${value ?? ''}`}
            onClick={() => onChange(withoutValue(address, name, value))}
          />
        </li>
      ))}
      <li>
        <Button size="compact-sm" variant="subtle" onClick={() => onChange(withoutFilter(address))}>
          Clear all
        </Button>
      </li>
    </ul>
  );
}

function chipsOf(address: LogsAddress): Chip[] {
  const chips: Chip[] = [];
  const add = (name: keyof LogsAddress, label: string, wordOf = (value: string) => value): void => {
    const found = address[name];
    if (found === undefined) return;
    for (const value of Array.isArray(found) ? (found as readonly string[]) : [found as string])
      chips.push({ name, value, label, shown: shortened(harmless(wordOf(value)), 60) });
  };
  add('text', 'Text');
  add('table', 'Table');
  add('primaryKey', 'Key', keyText);
  add('operation', 'Operation');
  for (const name of ['since', 'until'] as const) {
    const value = address[name];
    if (value === undefined) continue;
    const relative = relativeText(value);
    const label = relative !== undefined ? 'Time' : name === 'since' ? 'From' : 'Until';
    chips.push({ name, value, label, shown: relative ?? <Moment at={value} /> });
  }
  add('actor', 'Who');
  add('context', 'Context', comparison);
  add('changed', 'Changed');
  add('value', 'Before or after', comparison);
  add('valueBefore', 'Before', comparison);
  add('valueAfter', 'After', comparison);
  add('authenticity', 'Context is');
  if (address.withoutContext)
    chips.push({ name: 'withoutContext', value: undefined, label: 'Only', shown: 'without context' });
  add('transaction', 'Transaction of entry');
  add('transactionId', 'Transaction id');
  return chips;
}

/** `status = active`, or `status contains act`. */
function comparison(value: string): string {
  const at = value.search(/[=~]/);
  if (at < 0) return value;
  return `${value.slice(0, at)} ${value[at] === '~' ? 'contains' : '='} ${value.slice(at + 1)}`;
}
