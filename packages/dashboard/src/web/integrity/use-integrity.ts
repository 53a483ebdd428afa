import {
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import type { Integrity, VerificationAnswer } from '../../api/integrity.ts';
import { request, send } from '../api/request.ts';

/** What a log was signed as last: a worker signs every few seconds while changes come. */
export function useIntegrity(log: string | undefined): UseQueryResult<Integrity> {
  return useQuery({
    queryKey: ['integrity', log],
    queryFn: ({ signal }) => request<Integrity>(`/logs/${encodeURIComponent(log!)}/integrity`, signal),
    enabled: log !== undefined,
    refetchInterval: 5_000,
  });
}

/** The verification of a log that runs, or the last one. */
export function useVerification(log: string | undefined): UseQueryResult<VerificationAnswer> {
  return useQuery({
    queryKey: ['verification', log],
    queryFn: ({ signal }) =>
      request<VerificationAnswer>(`/logs/${encodeURIComponent(log!)}/verification`, signal),
    enabled: log !== undefined,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.verification?.state === 'running' ? 500 : false),
  });
}

export function useStartVerification(
  log: string | undefined,
): UseMutationResult<VerificationAnswer, Error, void> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => send<VerificationAnswer>('POST', `/logs/${encodeURIComponent(log!)}/verification`, {}),
    onSuccess: (answer) => client.setQueryData(['verification', log], answer),
  });
}
