import { NavLink } from '@mantine/core';
import { Link, useLocation } from '@tanstack/react-router';
import { useSession } from '../api/use-session.ts';
import { type Place, places } from './places.tsx';

/** The pages that whoever looks may see. Until that is known, those that everybody may. */
export function usePlaces(): readonly Place[] {
  const session = useSession().data;
  return places.filter(
    ({ permission, isOfAccounts = false }) =>
      (permission === undefined || session?.permissions.includes(permission)) &&
      (!isOfAccounts || session?.hasAccounts),
  );
}

/** Links to the pages. `log` goes along, by the root route. */
export function Navigation({ onNavigate }: { readonly onNavigate: () => void }) {
  const { pathname } = useLocation();
  return usePlaces().map(({ to, label, icon }) => {
    const isHere = pathname === to || pathname.startsWith(`${to}/`);
    return (
      <NavLink
        key={to}
        component={Link}
        to={to}
        label={label}
        leftSection={icon}
        active={isHere}
        aria-current={isHere ? 'page' : undefined}
        onClick={onNavigate}
      />
    );
  });
}
