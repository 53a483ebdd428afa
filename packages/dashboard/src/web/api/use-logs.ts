import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Log, Table } from '../../api/log.ts';
import { request } from './request.ts';

/** While there is none yet, somebody waits for the first. */
const waitingMs = 3_000;

/** The logs of all sources, by name. Once there are some they stay as they are: pages are about the first unless told. */
export function useLogs(): UseQueryResult<readonly Log[]> {
  return useQuery({
    queryKey: ['logs'],
    queryFn: async ({ signal }) => (await request<{ logs: Log[] }>('/logs', signal)).logs,
    staleTime: 30_000,
    refetchInterval: ({ state }) => (state.data?.length === 0 ? waitingMs : false),
  });
}

/** The tables that a log has changes of. */
export function useTables(log: string | undefined): UseQueryResult<readonly Table[]> {
  return useQuery({
    queryKey: ['tables', log],
    queryFn: async ({ signal }) =>
      (await request<{ tables: Table[] }>(`/logs/${encodeURIComponent(log!)}/tables`, signal)).tables,
    enabled: log !== undefined,
    staleTime: 60_000,
  });
}
