import { Anchor, Button, Group, Skeleton, Text, Title } from '@mantine/core';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Table } from '../../api/log.ts';
import { useLog } from '../api/use-log.ts';
import { useMay } from '../api/use-session.ts';
import { useKeys } from '../elements/keyboard.ts';
import { Moment } from '../elements/moment.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { tableName } from '../entries/table-name.ts';
import { MomentChooser } from './moment-chooser.tsx';
import { momentIndex } from './moment-index.ts';
import { Referrers } from './referrers.tsx';
import { StatePanel } from './state-panel.tsx';
import { Timeline } from './timeline.tsx';
import { useLife, useStateAt } from './use-record.ts';

interface RecordViewProps {
  readonly log: string;
  readonly table: Table;
  readonly tables: readonly Table[];
  readonly primaryKey: string;
}

/** The chosen moment and how the record was then, beside its life. The moment is in the address. */
export function RecordView({ log, table, tables, primaryKey }: RecordViewProps) {
  const { sequence, at, with: other } = useSearch({ from: '/shell/record' });
  const navigate = useNavigate();
  const maySeeAccesses = useMay('accesses:read');
  const key = { log, table: tableName(table.schema, table.table), primaryKey };
  const life = useLife(key);
  const isNow = sequence === undefined && at === undefined;
  const moment = useMemo(
    () => (sequence !== undefined ? { sequence } : at !== undefined ? { at } : {}),
    [sequence, at],
  );
  const otherMoment = useMemo(() => (other === undefined ? {} : { sequence: other }), [other]);
  const shown = useStateAt(key, life, moment);
  const compared = useStateAt(key, life, isNow && other === undefined ? undefined : otherMoment);
  const events = life.events ?? [];
  const index = momentIndex(events, moment);

  /** Moves the page to a moment; back goes to where one was before, but not through each step of a slider. */
  function choose(next: { readonly sequence?: string; readonly at?: string }): void {
    const search = { ...key, ...next, ...(other === undefined ? {} : { with: other }) };
    void navigate({ to: '/record', search, replace: !isNow, resetScroll: false });
  }
  function chooseIndex(next: number): void {
    const event = events[next];
    if (event) choose(next === 0 ? {} : { sequence: event.entry.sequence });
  }
  function compareWith(sequenceOfOther: string | undefined): void {
    const search = { ...key, ...moment, ...(sequenceOfOther === undefined ? {} : { with: sequenceOfOther }) };
    void navigate({ to: '/record', search, replace: true, resetScroll: false });
  }
  useKeys('Record', [
    { key: 'ArrowLeft', does: 'The change before', run: () => chooseIndex(index + 1) },
    { key: 'ArrowRight', does: 'The change after', run: () => chooseIndex(index - 1) },
    { key: 'n', does: 'As it is now', run: () => choose({}) },
  ]);

  if (life.error) return <ErrorState error={life.error} onRetry={life.retry} />;
  if (!life.events) return <RecordSkeleton />;
  if (events.length === 0) return <NeverThere />;
  return (
    <div className="record">
      <section aria-label="State" className="record-state">
        <MomentChooser
          events={events}
          index={index}
          at={at}
          isNow={isNow}
          onIndex={chooseIndex}
          onTime={(time) => choose(time === undefined ? {} : { at: time })}
        />
        <StatePanel
          table={table}
          tables={tables}
          log={log}
          shown={shown}
          compared={isNow && other === undefined ? undefined : compared}
          isNow={isNow}
          other={other}
          onCompareNow={() => compareWith(undefined)}
        />
        <Referrers log={log} table={table} tables={tables} primaryKey={primaryKey} />
        {maySeeAccesses && (
          <Text size="sm" mt="md">
            <Anchor
              component={Link}
              to="/accesses"
              search={{ table: key.table, primaryKey } as never}
              inherit
              underline="always"
            >
              Who looked at this record
            </Anchor>
          </Text>
        )}
      </section>
      <section aria-label="Life" className="record-life">
        <Title order={2} size="h4" mb="xs">
          Its life
        </Title>
        <Timeline
          events={events}
          log={log}
          table={table}
          shownIndex={index}
          other={other}
          onShow={chooseIndex}
          onCompare={compareWith}
        />
        {!life.isWhole && (
          <Group mt="sm">
            <Button variant="default" size="xs" loading={life.isLoadingOlder} onClick={life.loadOlder}>
              Older changes
            </Button>
          </Group>
        )}
      </section>
    </div>
  );
}

function NeverThere() {
  const { log } = useLog();
  return (
    <EmptyState title="No change of this record is in the log">
      Is the key right? What happened before recording began{' '}
      {log && (
        <>
          (<Moment at={log.recordingSince} />){' '}
        </>
      )}
      is not known, and where a record was erased, its key went too: the logs of the table still show that
      there were changes.
    </EmptyState>
  );
}

function RecordSkeleton() {
  return (
    <div className="record" role="status" aria-label="Loading">
      <Skeleton h={480} />
      <Skeleton h={480} />
    </div>
  );
}
