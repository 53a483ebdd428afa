import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router';
import { EmptyState } from '../elements/states.tsx';
import { LogsPage } from '../logs/logs-page.tsx';
import { Shell } from './shell.tsx';

const rootRoute = createRootRoute({
  component: Shell,
  notFoundComponent: () => <EmptyState title="There is no such page">The navigation leads on.</EmptyState>,
});

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/logs' });
  },
});

const logsRoute = createRoute({ getParentRoute: () => rootRoute, path: '/logs', component: LogsPage });

export const router = createRouter({ routeTree: rootRoute.addChildren([indexRoute, logsRoute]) });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
