import { QueryCache, QueryClient } from '@tanstack/react-query';
import { RequestError } from '../api/request.ts';

/** What the server refused it refuses again: only what may have been the network is tried once more. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, { queryKey }) => {
      // Signed out meanwhile: the session says so, and the shell leads to the sign-in.
      const isNobody = error instanceof RequestError && error.status === 401;
      if (isNobody && queryKey[0] !== 'session')
        void queryClient.invalidateQueries({ queryKey: ['session'] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && !(error instanceof RequestError && error.status < 500),
    },
  },
});
