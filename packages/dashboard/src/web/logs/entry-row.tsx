import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import { jsonMembers, plainText } from '@bemi-db/trail/facts/json-members';
import { keyText } from '@bemi-db/trail/facts/key-text';
import { ActionIcon, Menu } from '@mantine/core';
import { IconChevronRight, IconDots } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type MouseEvent, memo, useState } from 'react';
import type { Entry } from '../../api/entry.ts';
import { useCopyEntries } from '../entries/copy-entries.tsx';
import { EntryDetails } from '../entries/entry-details.tsx';
import { entryFacts } from '../entries/entry-facts.ts';
import { EntrySentence } from '../entries/entry-sentence.tsx';
import { copyForms } from '../entries/entry-texts.ts';
import { narrowed } from '../entries/filter-by.tsx';
import { isStructure } from '../entries/json-text.ts';
import { tableName } from '../entries/table-name.ts';
import type { LogsAddress } from './logs-address.ts';
import { RowTime } from './row-time.tsx';

interface EntryRowProps {
  readonly entry: Entry;
  readonly log: string;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  /** By Tab one comes to this row alone; arrows lead to the others. */
  readonly isActive: boolean;
  readonly isInGroup: boolean;
  readonly onToggle: (key: string) => void;
  readonly onSelect: (key: string, isRange: boolean) => void;
  readonly onFocus: (key: string) => void;
}

/** A change or DDL on a line, which opens to all that is known of it. */
export const EntryRow = memo(function EntryRow(props: EntryRowProps) {
  const { entry, log, isOpen, isSelected, isActive, isInGroup, onToggle, onSelect, onFocus } = props;
  const key = entry.sequence;
  const tabIndex = isActive ? 0 : -1;
  const toggle = (event: MouseEvent): void => {
    const isOther = (event.target as Element).closest('a, button, input, label') !== null;
    // Who marks text with the mouse wants to copy it.
    const isMarking = window.getSelection()?.toString() !== '';
    if (!isOther && !isMarking) onToggle(key);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the button in it does the same by keyboard
    // biome-ignore lint/a11y/useKeyWithClickEvents: the button in it does the same by keyboard
    <div
      className="entry-row"
      data-open={isOpen || undefined}
      data-grouped={isInGroup || undefined}
      onClick={toggle}
    >
      <input
        type="checkbox"
        className="entry-check"
        checked={isSelected}
        tabIndex={tabIndex}
        aria-label={`Select ${key}`}
        onFocus={() => onFocus(key)}
        onChange={(event) => onSelect(key, (event.nativeEvent as unknown as MouseEvent).shiftKey)}
      />
      <button
        type="button"
        className="entry-toggle"
        aria-expanded={isOpen}
        aria-label={`Details of entry ${key}`}
        tabIndex={tabIndex}
        data-entry={key}
        onFocus={() => onFocus(key)}
        onClick={() => onToggle(key)}
      >
        <IconChevronRight size={16} aria-hidden className="chevron" />
      </button>
      <RowTime at={entry.timestamp} />
      <div className="entry-sentence">
        <EntrySentence entry={entry} log={log} isShort={isInGroup} />
      </div>
      <RowMenu entry={entry} log={log} tabIndex={tabIndex} />
      {isOpen && (
        <div className="entry-open">
          <EntryDetails entry={entry} log={log} />
        </div>
      )}
    </div>
  );
});

interface RowMenuProps {
  readonly entry: Entry;
  readonly log: string;
  readonly tabIndex: number;
}

/** “Filter by this”, and copies. A list has many rows and few menus that are opened: before that it is a button. */
function RowMenu({ entry, log, tabIndex }: RowMenuProps) {
  const [isMade, setIsMade] = useState(false);
  const button = (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={26}
      tabIndex={tabIndex}
      className="entry-menu"
      aria-haspopup="menu"
      aria-label={`More of entry ${entry.sequence}`}
      onClick={isMade ? undefined : () => setIsMade(true)}
    >
      <IconDots size={16} aria-hidden />
    </ActionIcon>
  );
  if (!isMade) return button;
  return (
    <Menu position="bottom-end" defaultOpened keepMounted={false} onClose={() => setIsMade(false)}>
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <MenuItems entry={entry} log={log} />
      </Menu.Dropdown>
    </Menu>
  );
}

function MenuItems({ entry, log }: { readonly entry: Entry; readonly log: string }) {
  const copy = useCopyEntries(log);
  return (
    <>
      <Menu.Label>Filter by</Menu.Label>
      {offeredFilters(entry).map(({ name, value, label }) => (
        <Menu.Item
          key={`${name} ${value}`}
          component={Link}
          to="/logs"
          search={((address: LogsAddress) => narrowed(address, name, value)) as never}
        >
          {label}
        </Menu.Item>
      ))}
      <Menu.Divider />
      <Menu.Label>Copy</Menu.Label>
      {copyForms.map(([form, label]) => (
        <Menu.Item key={form} onClick={() => void copy([entry], form)}>
          {label}
        </Menu.Item>
      ))}
    </>
  );
}

interface OfferedFilter {
  readonly name: keyof LogsAddress;
  readonly value: string;
  readonly label: string;
}

function offeredFilters(entry: Entry): OfferedFilter[] {
  const facts = entryFacts(entry);
  const offered: OfferedFilter[] = [];
  const cut = (text: string): string => shortened(harmless(text), 40);
  if (facts.actor !== undefined)
    offered.push({ name: 'actor', value: facts.actor, label: `Who: ${cut(facts.actor)}` });
  else if (facts.knownBy === 'nobody')
    offered.push({ name: 'withoutContext', value: 'true', label: 'Without context' });
  for (const { name, value } of entry.context === null ? [] : jsonMembers(entry.context)) {
    const text = plainText(value);
    if (isStructure(value) || value === 'null' || text === facts.actor || text.length > 200) continue;
    offered.push({ name: 'context', value: `${name}=${text}`, label: `${cut(name)}: ${cut(text)}` });
  }
  if (entry.kind === 'ddl') {
    offered.push({ name: 'operation', value: 'DDL', label: 'Operation: DDL' });
    return offered;
  }
  const table = tableName(entry.schema, entry.table);
  offered.push({ name: 'table', value: table, label: `Table: ${cut(table)}` });
  if (entry.primaryKey !== null)
    offered.push({
      name: 'primaryKey',
      value: entry.primaryKey,
      label: `Key: ${cut(keyText(entry.primaryKey))}`,
    });
  offered.push({ name: 'operation', value: entry.operation, label: `Operation: ${entry.operation}` });
  for (const column of entry.changed?.slice(0, 4) ?? [])
    offered.push({ name: 'changed', value: column, label: `Changed: ${cut(column)}` });
  offered.push({
    ...{ name: 'transaction', value: entry.transaction },
    label: `Transaction ${entry.transactionId}`,
  });
  return offered;
}
