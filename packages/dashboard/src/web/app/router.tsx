import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
} from '@tanstack/react-router';
import { accessesAddress } from '../accesses/accesses-address.ts';
import { healthAddress } from '../health/health-address.ts';
import { logsAddress } from '../logs/logs-address.ts';
import { LogsPage } from '../logs/logs-page.tsx';
import { overviewAddress } from '../overview/overview-address.ts';
import { recordAddress } from '../record/record-address.ts';
import { addressText, oneOf, parseAddress } from './address.ts';
import { FirstPage } from './first-page.tsx';
import { BrokenPage, NoSuchPage, PageSkeleton } from './page-states.tsx';
import { Shell } from './shell.tsx';

interface RootAddress {
  /** The log that the pages are about; it goes along to every page. */
  readonly log?: string;
}

interface SourcesAddress {
  /** A source is being added. */
  readonly adding?: 'yes';
}

interface SignInAddress {
  /** The page that was asked for. */
  readonly next?: string;
  /** Why single sign-on led back here. */
  readonly problem?: string;
}

const rootRoute = createRootRoute({
  validateSearch: (members: Record<string, unknown>): RootAddress => {
    const log = oneOf(members, 'log');
    return log === undefined ? {} : { log };
  },
  search: { middlewares: [retainSearchParams(['log'])] },
  notFoundComponent: NoSuchPage,
});

/** Pages for those who are signed in. One that isn't, as signing in is not, is a child of the root. */
const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  component: Shell,
  notFoundComponent: NoSuchPage,
});

const indexRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  component: FirstPage,
});

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/overview',
  validateSearch: overviewAddress,
  component: lazyRouteComponent(() => import('../overview/overview-page.tsx'), 'OverviewPage'),
});

const logsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/logs',
  validateSearch: logsAddress,
  component: LogsPage,
});

const recordRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/record',
  validateSearch: recordAddress,
  component: lazyRouteComponent(() => import('../record/record-page.tsx'), 'RecordPage'),
});

const integrityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/integrity',
  component: lazyRouteComponent(() => import('../integrity/integrity-page.tsx'), 'IntegrityPage'),
});

const accessesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/accesses',
  validateSearch: accessesAddress,
  component: lazyRouteComponent(() => import('../accesses/accesses-page.tsx'), 'AccessesPage'),
});

const healthRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/health',
  validateSearch: healthAddress,
  component: lazyRouteComponent(() => import('../health/health-page.tsx'), 'HealthPage'),
});

const sourcesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources',
  validateSearch: (members: Record<string, unknown>): SourcesAddress =>
    oneOf(members, 'adding') === 'yes' ? { adding: 'yes' } : {},
  component: lazyRouteComponent(() => import('../sources/sources-page.tsx'), 'SourcesPage'),
});

const sourceRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources/$source',
  component: lazyRouteComponent(() => import('../sources/source-page.tsx'), 'SourcePage'),
});

const docsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/docs',
  component: lazyRouteComponent(() => import('../reference/reference-page.tsx'), 'ReferencePage'),
});

const accountRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/account',
  component: lazyRouteComponent(() => import('../accounts/account-page.tsx'), 'AccountPage'),
});

const peopleRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/people',
  component: lazyRouteComponent(() => import('../accounts/people-page.tsx'), 'PeoplePage'),
});

const keysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('../accounts/keys-page.tsx'), 'KeysPage'),
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: (members: Record<string, unknown>): SignInAddress => {
    const [next, problem] = [oneOf(members, 'next'), oneOf(members, 'problem')];
    return { ...(next === undefined ? {} : { next }), ...(problem === undefined ? {} : { problem }) };
  },
  component: lazyRouteComponent(() => import('../accounts/sign-in-page.tsx'), 'SignInPage'),
});

const joinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/join',
  component: lazyRouteComponent(() => import('../accounts/join-page.tsx'), 'JoinPage'),
});

/** Every other address, within the shell: so one is not lost. */
const noSuchRoute = createRoute({ getParentRoute: () => shellRoute, path: '$', component: NoSuchPage });

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    shellRoute.addChildren([
      indexRoute,
      overviewRoute,
      logsRoute,
      recordRoute,
      integrityRoute,
      accessesRoute,
      healthRoute,
      sourcesRoute,
      sourceRoute,
      docsRoute,
      accountRoute,
      peopleRoute,
      keysRoute,
      noSuchRoute,
    ]),
    signInRoute,
    joinRoute,
  ]),
  parseSearch: parseAddress,
  stringifySearch: addressText,
  defaultErrorComponent: BrokenPage,
  defaultPendingComponent: PageSkeleton,
  defaultPendingMs: 300,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
