import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ChangeEntry, EntryPage } from '../../api/entry.ts';
import type { RecordState } from '../../api/record.ts';
import { queryText, request } from '../api/request.ts';
import { type KnownState, knownState, type LifeEvent, type LifeMoment, recordLife } from './record-life.ts';

/** A record of a log's table. */
export interface RecordKey {
  readonly log: string;
  /** `schema.table`. */
  readonly table: string;
  readonly primaryKey: string;
}

const changesAPage = 100;
const mostTableEvents = 200;

export interface Life {
  /** The newest first; `undefined` until the first ones are there. */
  readonly events: readonly LifeEvent[] | undefined;
  /** Whether they reach back to the record's first change. */
  readonly isWhole: boolean;
  readonly error: Error | null;
  readonly isLoadingOlder: boolean;
  loadOlder(): void;
  retry(): void;
}

/** What happened to a record, a page at a time from the newest back, with what happened to its table meanwhile. */
export function useLife({ log, table, primaryKey }: RecordKey): Life {
  const path = `/logs/${encodeURIComponent(log)}/entries`;
  const changes = useInfiniteQuery({
    queryKey: ['record', log, table, primaryKey, 'changes'],
    queryFn: ({ pageParam: before, signal }) =>
      request<EntryPage>(
        path + queryText({ table, primaryKey, before, limit: changesAPage, values: 'text' }),
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ end, next }) => (end === 'reached' ? undefined : (next ?? undefined)),
  });
  const ofTable = useQuery({
    queryKey: ['record', log, table, 'table'],
    queryFn: ({ signal }) =>
      request<EntryPage>(
        path + queryText({ table, operation: ['DDL', 'TRUNCATE'], limit: mostTableEvents, values: 'text' }),
        signal,
      ),
    staleTime: 60_000,
  });
  const events = useMemo(() => {
    if (!changes.data || !ofTable.data) return undefined;
    const own = changes.data.pages
      .flatMap(({ entries }) => entries)
      .filter((entry): entry is ChangeEntry => entry.kind === 'change');
    return recordLife(own, ofTable.data.entries);
  }, [changes.data, ofTable.data]);
  return {
    events,
    isWhole: changes.data !== undefined && !changes.hasNextPage,
    error: changes.error ?? ofTable.error,
    isLoadingOlder: changes.isFetchingNextPage,
    loadOlder: () => void changes.fetchNextPage(),
    retry: () => {
      if (changes.error) void changes.refetch();
      if (ofTable.error) void ofTable.refetch();
    },
  };
}

export interface StateAnswer {
  readonly data: KnownState | undefined;
  /** Columns whose values the log does not have. */
  readonly missing: readonly string[];
  readonly error: Error | null;
}

/** The record at a moment: from its life where that says all, else from the server. */
export function useStateAt(key: RecordKey, life: Life, moment: LifeMoment | undefined): StateAnswer {
  const known = useMemo(
    () => (moment && life.events ? knownState(life.events, life.isWhole, moment) : undefined),
    [life.events, life.isWhole, moment],
  );
  const { log, table, primaryKey } = key;
  const asked = useQuery({
    queryKey: ['record', log, table, primaryKey, 'state', moment?.sequence ?? null, moment?.at ?? null],
    queryFn: ({ signal }) =>
      request<RecordState>(
        `/logs/${encodeURIComponent(log)}/record${queryText({ table, primaryKey, ...moment, values: 'text' })}`,
        signal,
      ),
    enabled: moment !== undefined && life.events !== undefined && known === undefined,
    placeholderData: keepPreviousData,
  });
  if (known) return { data: known, missing: [], error: null };
  return { data: moment && asked.data, missing: asked.data?.missing ?? [], error: asked.error };
}
