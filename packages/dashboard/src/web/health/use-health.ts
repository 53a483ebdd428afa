import {
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import type { AlertPage, Health, HealthSeries } from '../../api/health.ts';
import { queryText, request } from '../api/request.ts';
import { type HealthRange, healthRanges } from './health-address.ts';

/** How all sources are doing. Workers tell of what has changed within 15 s. */
export function useHealth(): UseQueryResult<Health> {
  return useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => request<Health>('/health', signal),
    staleTime: 0,
    refetchInterval: 5_000,
  });
}

/** A log's samples of the time until now, in whole steps. */
export function useHealthSeries(log: string | undefined, range: HealthRange): UseQueryResult<HealthSeries> {
  const { seconds, step } = healthRanges[range];
  return useQuery({
    queryKey: ['health series', log, range],
    queryFn: ({ signal }) => {
      const until = Math.ceil(Date.now() / 1_000 / step) * step;
      const text = (at: number): string => new Date(at * 1_000).toISOString();
      const query = queryText({ since: text(until - seconds), until: text(until), step });
      return request<HealthSeries>(`/logs/${encodeURIComponent(log!)}/health${query}`, signal);
    },
    enabled: log !== undefined,
    staleTime: 0,
    refetchInterval: Math.min(step, 60) * 500,
    placeholderData: (previous, query) => (query?.queryKey[1] === log ? previous : undefined),
  });
}

/** Alerts of all logs, newest first. */
export function useAlertHistory(): UseInfiniteQueryResult<InfiniteData<AlertPage>> {
  return useInfiniteQuery({
    queryKey: ['alerts'],
    queryFn: ({ signal, pageParam }) =>
      request<AlertPage>(`/alerts${queryText({ before: pageParam, limit: 20 })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    staleTime: 0,
    refetchInterval: 10_000,
  });
}
