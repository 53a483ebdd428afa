import { QueryClient } from '@tanstack/react-query';
import { RequestError } from '../api/request.ts';

/** What the server refused it refuses again: only what may have been the network is tried once more. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !(error instanceof RequestError && error.status < 500),
    },
  },
});
