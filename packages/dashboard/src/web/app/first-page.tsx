import { Navigate } from '@tanstack/react-router';
import { useSession } from '../api/use-session.ts';
import { usePlaces } from './navigation.tsx';

/** The first page that whoever comes may see: an operator sees nobody's data, and no logs. */
export function FirstPage() {
  const { data } = useSession();
  const [first] = usePlaces();
  return data && first ? <Navigate to={first.to} replace /> : null;
}
