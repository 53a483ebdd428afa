import './logs.css';
import { Anchor, Button, Group, NativeSelect, Skeleton, VisuallyHidden } from '@mantine/core';
import { IconArrowUp, IconDownload } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useLog } from '../api/use-log.ts';
import { useMay, useSession } from '../api/use-session.ts';
import { useKeys } from '../elements/keyboard.ts';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import type { FeedState } from './entry-feed.ts';
import { groupedRows, type ListRow, plainRows } from './entry-groups.ts';
import { EntryList } from './entry-list.tsx';
import { FilterBar } from './filter-bar.tsx';
import { ListEnd } from './list-end.tsx';
import { LiveState } from './live-state.tsx';
import { apiFilter, type Grouping, isFiltered, type LogsAddress, withoutFilter } from './logs-address.ts';
import { SelectionBar } from './selection-bar.tsx';
import { useEntryFeed } from './use-entry-feed.ts';
import { useListControl } from './use-list-control.ts';

/** Few come to export: what it takes is loaded by then. */
const ExportDialog = lazy(async () => ({ default: (await import('./export-dialog.tsx')).ExportDialog }));

const noRows: readonly ListRow[] = [];

/** Who changed what, when, from where and why: the newest first. */
export function LogsPage() {
  const { name: log, logs, ...choice } = useLog();
  const address = useSearch({ from: '/shell/logs' });
  const navigate = useNavigate();
  const go = useCallback(
    (next: LogsAddress, isTyping = false) =>
      void navigate({ to: '/logs', search: next as never, replace: isTyping, resetScroll: false }),
    [navigate],
  );
  // A time back from now is reckoned once for a filter, so that its pages fit together.
  const filterText = JSON.stringify(withoutGroup(address));
  const options = useMemo(() => {
    if (log === undefined) return undefined;
    const asked = JSON.parse(filterText) as LogsAddress;
    const filter = apiFilter(asked, new Date());
    const isLive =
      asked.transaction === undefined &&
      (filter.until === undefined || Date.parse(filter.until) > Date.now());
    return { log, filter, isLive };
  }, [log, filterText]);
  const { feed, state } = useEntryFeed(options);

  const rowsRef = useRef<readonly ListRow[]>(noRows);
  const control = useListControl(rowsRef);
  const rows = useMemo(() => {
    const entries = state?.entries ?? [];
    return address.group === undefined
      ? plainRows(entries)
      : groupedRows(entries, address.group, control.opened);
  }, [state?.entries, address.group, control.opened]);
  rowsRef.current = rows;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is open and selected belongs to one feed
  useEffect(control.reset, [feed]);

  const isReading = control.opened.size > 0 || control.selected.size > 0;
  useEffect(() => {
    if (!feed) return undefined;
    const look = (): void => feed.hold(isReading || window.scrollY > 60);
    look();
    window.addEventListener('scroll', look, { passive: true });
    return () => window.removeEventListener('scroll', look);
  }, [feed, isReading]);

  const searchInput = useRef<HTMLInputElement>(null);
  const mayExport = useMay('changes:export');
  const maySource = useMay('sources:write');
  const isSessionKnown = useSession().data !== undefined;
  const [isExporting, setIsExporting] = useState(false);
  const show = (): void => {
    window.scrollTo({ top: 0 });
    feed?.show();
  };
  const isPaused = state?.live === 'paused';
  useKeys('Logs', [
    { key: '/', does: 'Search the text', run: () => searchInput.current?.focus() },
    { key: 'j', does: 'To the next entry', run: () => control.move(1) },
    { key: 'k', does: 'To the entry before', run: () => control.move(-1) },
    { key: 'ArrowDown', does: 'To the next entry', run: () => control.move(1) },
    { key: 'ArrowUp', does: 'To the entry before', run: () => control.move(-1) },
    { key: 'x', does: 'Select the entry', run: control.selectActive },
    { key: 'n', does: 'Show new entries', run: show },
    { key: 'p', does: isPaused ? 'Go on live' : 'Pause', run: () => feed?.pause(!isPaused) },
    ...(mayExport ? [{ key: 'e', does: 'Export', run: () => setIsExporting(true) }] : []),
  ]);
  const onNearEnd = useCallback(() => {
    if (feed?.state().older === 'more') feed.more();
  }, [feed]);

  if (choice.error) return <ErrorState error={choice.error} onRetry={choice.retry} />;
  if (logs?.length === 0)
    return (
      <EmptyState title="Nothing is recorded yet">
        {maySource ? (
          <>
            Look at the{' '}
            <Anchor renderRoot={(props) => <Link {...props} to="/sources" />}>data sources</Anchor>: add the
            database whose changes you want to have on record.
          </>
        ) : (
          'Start a worker: bemi start'
        )}
      </EmptyState>
    );
  const arrived = state?.arrived.length ?? 0;
  return (
    <>
      <PageHeading title="Logs">
        <Group gap="xs">
          <LiveState live={state?.live ?? 'connecting'} onPause={(paused) => feed?.pause(paused)} />
          <NativeSelect
            aria-label="Group by"
            size="sm"
            value={address.group ?? ''}
            data={groupings}
            onChange={(event) => {
              const { group: _, ...rest } = address;
              const group = event.currentTarget.value as Grouping | '';
              go(group === '' ? rest : { ...rest, group });
            }}
          />
          {(mayExport || !isSessionKnown) && (
            <Button
              size="sm"
              variant="default"
              disabled={!mayExport}
              leftSection={<IconDownload size={14} aria-hidden />}
              onClick={() => setIsExporting(true)}
            >
              Export
            </Button>
          )}
        </Group>
      </PageHeading>
      <FilterBar log={log} address={address} searchInput={searchInput} onChange={go} />
      <div className="arrived" role="status">
        {arrived > 0 && (
          <Button
            size="compact-md"
            radius="xl"
            leftSection={<IconArrowUp size={14} aria-hidden />}
            onClick={show}
          >
            {arrived.toLocaleString()} new
          </Button>
        )}
      </div>
      <Announcer entries={state?.entries} />
      {state === undefined ||
      (state.entries.length === 0 && state.older === 'loading' && state.lookedBackTo === null) ? (
        <ListSkeleton />
      ) : (
        <>
          {rows.length > 0 && <EntryList rows={rows} log={log!} control={control} onNearEnd={onNearEnd} />}
          {state.entries.length === 0 && state.older === 'reached' && (
            <NothingFound address={address} onClear={() => go(withoutFilter(address))} />
          )}
          <ListEnd state={state} onMore={() => feed?.more()} onStop={() => feed?.stopSearch()} />
        </>
      )}
      <SelectionBar
        entries={state?.entries ?? []}
        selected={control.selected}
        log={log}
        onClear={control.clearSelection}
      />
      {log !== undefined && isExporting && (
        <Suspense>
          <ExportDialog log={log} address={address} onClose={() => setIsExporting(false)} />
        </Suspense>
      )}
    </>
  );
}

const groupings = [
  { value: '', label: 'Not grouped' },
  { value: 'transaction', label: 'By transaction' },
  { value: 'request', label: 'By request' },
  { value: 'actor', label: 'By who' },
];

function withoutGroup({ group: _, ...rest }: LogsAddress): LogsAddress {
  return rest;
}

function NothingFound({ address, onClear }: { readonly address: LogsAddress; readonly onClear: () => void }) {
  if (!isFiltered(address))
    return (
      <EmptyState title="No change is recorded yet">
        Change a row in the database: it is here within two seconds. If it isn’t, bemi doctor says why.
      </EmptyState>
    );
  return (
    <EmptyState title="Nothing matches these filters">
      <p>The whole log was looked through. Take a filter away, or choose more time.</p>
      <Button variant="default" onClick={onClear}>
        Clear all filters
      </Button>
    </EmptyState>
  );
}

/** Rows of the size of those that come. */
function ListSkeleton() {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: 12 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <Skeleton key={index} h={29} mb={8} />
      ))}
    </div>
  );
}

/** How often a screen reader is told of what came by itself. */
const announceMs = 5_000;

function Announcer({ entries }: { readonly entries: FeedState['entries'] | undefined }) {
  const [said, setSaid] = useState('');
  const newest = entries?.[0]?.sequence;
  const last = useRef<string>(undefined);
  useEffect(() => {
    if (newest === undefined || entries === undefined) return undefined;
    const before = last.current;
    if (before === undefined) {
      last.current = newest;
      return undefined;
    }
    const timer = window.setTimeout(() => {
      const count = entries.findIndex(({ sequence }) => sequence === before);
      last.current = newest;
      if (count > 0) setSaid(`${count} new ${count === 1 ? 'entry' : 'entries'}`);
    }, announceMs);
    return () => window.clearTimeout(timer);
  }, [newest, entries]);
  return <VisuallyHidden role="status">{said}</VisuallyHidden>;
}
