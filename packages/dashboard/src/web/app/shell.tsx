import { AppShell, Burger, Drawer, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Navigate, Outlet, useLocation, useNavigate, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { RequestError } from '../api/request.ts';
import { useSession } from '../api/use-session.ts';
import { listenToKeys, useKeys } from '../elements/keyboard.ts';
import { KeysDialog } from './keys-dialog.tsx';
import { LogChooser } from './log-chooser.tsx';
import { Navigation, usePlaces } from './navigation.tsx';
import { UserMenu } from './user-menu.tsx';

/** What is around each page: where one is, where one can go, whose log it is, and who one is. */
export function Shell() {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const [areKeysShown, keys] = useDisclosure(false);
  const navigate = useNavigate();
  const places = usePlaces();
  useEffect(listenToKeys, []);
  useKeys('Everywhere', [
    { key: '?', does: 'Show the keys', run: keys.open },
    ...places.map(({ to, label, letter }) => ({
      key: `g ${letter}`,
      does: `Go to ${label}`,
      run: () => void navigate({ to }),
    })),
  ]);
  useFocusOnNavigation();
  return (
    <>
      <AppShell
        header={{ height: 56 }}
        navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: true } }}
        padding={{ base: 'sm', sm: 'md' }}
        transitionDuration={0}
      >
        <a className="skip-link" href="#main">
          Skip to the content
        </a>
        <AppShell.Header>
          <Group h="100%" px={{ base: 'sm', sm: 'md' }} justify="space-between" wrap="nowrap" gap="sm">
            <Group gap="sm" wrap="nowrap">
              <Burger
                opened={isOpen}
                onClick={toggle}
                hiddenFrom="sm"
                size="sm"
                aria-label="Pages"
                aria-expanded={isOpen}
              />
              <Text
                component={Link}
                to="/"
                fw={700}
                size="lg"
                c="var(--mantine-color-text)"
                className="brand"
              >
                Bemi
              </Text>
              <LogChooser />
            </Group>
            <UserMenu onKeys={keys.open} />
          </Group>
        </AppShell.Header>
        <AppShell.Navbar p="sm" aria-label="Pages" visibleFrom="sm">
          <Navigation onNavigate={close} />
        </AppShell.Navbar>
        <AppShell.Main id="main" tabIndex={-1}>
          <SignedIn />
        </AppShell.Main>
      </AppShell>
      <Drawer
        opened={isOpen}
        onClose={close}
        size={240}
        title="Pages"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <nav aria-label="Pages">
          <Navigation onNavigate={close} />
        </nav>
      </Drawer>
      <KeysDialog isOpen={areKeysShown} onClose={keys.close} />
    </>
  );
}

/** Whoever is nobody goes to the sign-in, which comes back to the page that was asked for. */
function SignedIn() {
  const { error } = useSession();
  // While the sign-in is on its way the location is the sign-in's already: it is not what was asked for.
  const asked = useLocation({ select: ({ href, pathname }) => (pathname === '/sign-in' ? undefined : href) });
  const isNobody = error instanceof RequestError && error.status === 401;
  if (!isNobody) return <Outlet />;
  return asked === undefined ? null : <Navigate to="/sign-in" search={{ next: asked }} replace />;
}

/** Who follows a link to another page goes on at its heading. The first page's start is the document's. */
function useFocusOnNavigation(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onRendered', ({ fromLocation, pathChanged }) => {
        if (fromLocation === undefined || !pathChanged) return;
        const heading = document.querySelector<HTMLElement>('#main .page-heading');
        (heading ?? document.querySelector<HTMLElement>('#main'))?.focus({ preventScroll: true });
      }),
    [router],
  );
}
