import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { RequestError, send } from './request.ts';

/** Ends the session, forgets all that was read in it, and leads to the sign-in. */
export function useSignOut(): () => Promise<void> {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    await send<undefined>('POST', '/auth/sign-out').catch((error: unknown) => {
      // It was over already: that is what was wanted.
      if (!(error instanceof RequestError && error.status === 401)) throw error;
    });
    await navigate({ to: '/sign-in', replace: true });
    queryClient.clear();
  };
}
