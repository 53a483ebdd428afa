import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Permission } from '../../api/permission.ts';
import type { Session } from '../../api/session.ts';
import { request } from './request.ts';

/** Whoever looks at the page. Fails with 401 where nobody is signed in. */
export function useSession(): UseQueryResult<Session> {
  return useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => request<Session>('/session', signal),
    staleTime: 60_000,
  });
}

/** Whether the page may show something. The server decides: this only spares people buttons that would be refused. */
export function useMay(permission: Permission): boolean {
  return useSession().data?.permissions.includes(permission) ?? false;
}
