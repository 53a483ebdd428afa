import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { jsonMembers } from '@bemi-db/trail/facts/json-members';
import { Anchor, Button, Group, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ChangeEntry } from '../../api/entry.ts';
import type { Table } from '../../api/log.ts';
import { Moment } from '../elements/moment.tsx';
import { ValueText } from '../elements/value-text.tsx';
import { tableName } from '../entries/table-name.ts';
import { eventWords } from './event-words.ts';
import type { LifeEvent } from './record-life.ts';
import { comparedColumns } from './row-comparison.ts';

interface TimelineProps {
  /** The newest first. */
  readonly events: readonly LifeEvent[];
  readonly log: string;
  readonly table: Table;
  readonly shownIndex: number;
  readonly other: string | undefined;
  onShow(index: number): void;
  onCompare(sequence: string): void;
}

/** What happened to a record, the newest first: who did it, why, and what it changed. */
export function Timeline({ events, shownIndex, ...props }: TimelineProps) {
  return (
    <ol className="timeline">
      {events.map((event, index) => (
        <TimelineItem
          key={event.entry.sequence}
          event={event}
          isShown={index === shownIndex}
          onShowThis={() => props.onShow(index)}
          {...props}
        />
      ))}
    </ol>
  );
}

interface TimelineItemProps extends Pick<TimelineProps, 'log' | 'table' | 'other' | 'onCompare'> {
  readonly event: LifeEvent;
  readonly isShown: boolean;
  onShowThis(): void;
}

function TimelineItem({ event, isShown, log, table, other, onShowThis, onCompare }: TimelineItemProps) {
  const { entry, columnsCome, columnsGone } = event;
  const { verb, tone, who, role, aside, notes } = eventWords(entry);
  const isCompared = other === entry.sequence;
  return (
    <li data-shown={isShown || undefined} data-tone={tone}>
      <Text size="xs" c="dimmed">
        <Moment at={entry.timestamp} />
      </Text>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        <Text span inherit fw={600}>
          {who}
        </Text>
        {role !== undefined && ` (${role})`}{' '}
        <Text span inherit c={`var(--bemi-${tone})`} fw={500}>
          {verb}
        </Text>
      </Text>
      {aside !== '' && (
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {aside}
        </Text>
      )}
      {notes.map((note) => (
        <Text key={note} size="xs" c="var(--bemi-doubt)">
          {note}
        </Text>
      ))}
      {columnsCome.length > 0 && <Text size="xs">New columns: {columnsCome.map(harmless).join(', ')}</Text>}
      {columnsGone.length > 0 && <Text size="xs">Columns gone: {columnsGone.map(harmless).join(', ')}</Text>}
      {entry.kind === 'change' && (
        <>
          <ChangedValues change={entry} />
          <FormerKey change={entry} table={table} log={log} />
          <Group gap="xs" mt={4}>
            <Button
              size="compact-xs"
              variant={isShown ? 'filled' : 'default'}
              aria-pressed={isShown}
              onClick={onShowThis}
            >
              {isShown ? 'Shown' : 'Show'}
            </Button>
            {!isShown && (
              <Button
                size="compact-xs"
                variant={isCompared ? 'light' : 'subtle'}
                aria-pressed={isCompared}
                onClick={() => onCompare(entry.sequence)}
              >
                {isCompared ? 'Compared' : 'Compare'}
              </Button>
            )}
            <Anchor
              component={Link}
              to="/logs"
              search={{ log, transaction: entry.transaction } as never}
              size="xs"
              title="All changes of the same transaction"
            >
              Transaction
            </Anchor>
          </Group>
        </>
      )}
    </li>
  );
}

/** Of more changed columns, the rest is shown when asked for. */
const shownColumns = 6;

/** Of an UPDATE, what it changed. What a created row was at first is beside the timeline. */
function ChangedValues({ change: { operation, before, after, changed } }: { readonly change: ChangeEntry }) {
  const [isWhole, setWhole] = useState(false);
  if (operation !== 'UPDATE' || changed === null) return null;
  const columns = comparedColumns(before, after).filter(({ name }) => changed.includes(name));
  if (columns.length === 0)
    return (
      <Text size="xs" c="dimmed">
        It changed no value.
      </Text>
    );
  const listed = isWhole ? columns : columns.slice(0, shownColumns);
  return (
    <dl className="changed-values">
      {listed.map(({ name, shown, other }) => (
        <div key={name}>
          <dt>{harmless(name)}:</dt>{' '}
          <dd>
            <ValueText json={shown} /> <span aria-hidden>→</span>
            <span className="only-heard">became</span> <ValueText json={other} />
          </dd>
        </div>
      ))}
      {columns.length > listed.length && (
        <Anchor component="button" type="button" size="xs" onClick={() => setWhole(true)}>
          {columns.length - listed.length} more
        </Anchor>
      )}
    </dl>
  );
}

/** A record whose key was changed lived on under the new one; what it was before has another page. */
function FormerKey({
  change,
  table,
  log,
}: {
  readonly change: ChangeEntry;
  readonly table: Table;
  readonly log: string;
}) {
  const { operation, before, changed, primaryKey } = change;
  if (operation !== 'UPDATE' || before === null || !changed?.some((name) => table.key.includes(name)))
    return null;
  const old = new Map(jsonMembers(before).map(({ name, value }) => [name, value]));
  const texts = table.key.map((name) => keyValue(old.get(name)));
  if (texts.some((text) => text === undefined)) return null;
  const former = texts.length === 1 ? texts[0]! : JSON.stringify(texts);
  if (former === primaryKey) return null;
  return (
    <Anchor
      component={Link}
      to="/record"
      search={{ log, table: tableName(table.schema, table.table), primaryKey: former } as never}
      size="xs"
    >
      Its life before, under another key
    </Anchor>
  );
}

function keyValue(json: string | undefined): string | undefined {
  if (json === undefined || json === 'null') return undefined;
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}
