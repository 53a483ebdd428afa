import {
  type QueryClient,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
} from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import type { Source, SourceChecks, Sources } from '../../api/source.ts';
import { request, send } from '../api/request.ts';

/** Their state changes by itself: what was added is recorded seconds later. */
const pollMs = 3_000;

export function useSources(): UseQueryResult<Sources> {
  return useQuery({
    queryKey: ['sources'],
    queryFn: ({ signal }) => request<Sources>('/sources', signal),
    refetchInterval: pollMs,
  });
}

export function useSource(name: string): UseQueryResult<Source> {
  return useQuery({
    queryKey: ['sources', name],
    queryFn: ({ signal }) => request<Source>(sourcePath(name), signal),
    refetchInterval: pollMs,
  });
}

/** What is checked: a connection that is not added yet, or a source that is there. */
export type CheckWanted =
  | {
      readonly connection: string;
      readonly name?: string;
      readonly slot: string;
      readonly publication: string;
    }
  | { readonly source: string };

/** A check that is asked for. */
export interface Checks extends Pick<UseMutationResult<SourceChecks>, 'data' | 'error' | 'isPending'> {
  check(wanted: CheckWanted): void;
  /** What was found is of something else by now; what runs ends. */
  forget(): void;
}

export function useChecks(): Checks {
  const running = useRef<AbortController>(undefined);
  const { data, error, isPending, mutate, reset } = useMutation<SourceChecks, Error, CheckWanted>({
    mutationFn: (wanted) => {
      running.current = new AbortController();
      return send<SourceChecks>('POST', '/source-checks', wanted, running.current.signal);
    },
  });
  const forget = useCallback(() => {
    reset();
    running.current?.abort();
  }, [reset]);
  useEffect(() => () => running.current?.abort(), []);
  return { ...{ data, error, isPending }, check: mutate, forget };
}

export async function refreshSources(client: QueryClient): Promise<void> {
  await client.invalidateQueries({ queryKey: ['sources'] });
}

export function sourcePath(name: string): string {
  return `/sources/${encodeURIComponent(name)}`;
}
