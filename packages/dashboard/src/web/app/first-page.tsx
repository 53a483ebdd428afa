import { Navigate } from '@tanstack/react-router';
import { useSession } from '../api/use-session.ts';
import { usePlaces } from './navigation.tsx';

/** What happens now, live; an operator, who sees nobody's data, comes to the first page that he may see. */
export function FirstPage() {
  const { data } = useSession();
  const places = usePlaces();
  const first = places.find(({ to }) => to === '/logs') ?? places[0];
  return data && first ? <Navigate to={first.to} replace /> : null;
}
