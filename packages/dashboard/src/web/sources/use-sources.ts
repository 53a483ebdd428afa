import {
  type QueryClient,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
} from '@tanstack/react-query';
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
  | { readonly connection: string; readonly slot: string; readonly publication: string }
  | { readonly source: string };

export function useChecks(): UseMutationResult<SourceChecks, Error, CheckWanted> {
  return useMutation({ mutationFn: (wanted) => send<SourceChecks>('POST', '/source-checks', wanted) });
}

export async function refreshSources(client: QueryClient): Promise<void> {
  await client.invalidateQueries({ queryKey: ['sources'] });
}

export function sourcePath(name: string): string {
  return `/sources/${encodeURIComponent(name)}`;
}
