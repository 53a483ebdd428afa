import { OpenAPIHono } from '@hono/zod-openapi';
import type { Problem } from '../api/problem.ts';
import type { Accounts } from './accounts/create-accounts.ts';
import { sameOrigin } from './accounts/same-origin.ts';
import { ApiProblem } from './api-problem.ts';
import type { AuditReader } from './audit-reader.ts';
import { bodyLimit } from './body-limit.ts';
import { clientAddress } from './client-address.ts';
import type { DashboardEnvironment } from './guarded-route.ts';
import { createLogTail, logEnds } from './log-tail.ts';
import { openApiDocument } from './open-api-document.ts';
import type { Authenticate } from './principal.ts';
import { problemOfError } from './problem-of-error.ts';
import { problemOfSchema } from './problem-of-schema.ts';
import { accessesRoute } from './routes/accesses-route.ts';
import { activityRoute } from './routes/activity-route.ts';
import { entriesRoutes } from './routes/entries-routes.ts';
import { exportRoute } from './routes/export-route.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { integrityRoutes } from './routes/integrity-routes.ts';
import { logsRoutes } from './routes/logs-routes.ts';
import { recordRoute } from './routes/record-route.ts';
import { rulesRoutes } from './routes/rules-routes.ts';
import { sessionRoute } from './routes/session-route.ts';
import { sourcesRoutes } from './routes/sources-routes.ts';
import { streamRoute } from './routes/stream-route.ts';
import { transactionsRoute } from './routes/transactions-route.ts';
import { securityHeaders } from './security-headers.ts';
import { noSourceServices, type SourceServices } from './sources/source-services.ts';
import { createVerifications, type VerifyLog } from './verifications.ts';
import { webPages } from './web-pages.ts';

export interface DashboardOptions {
  readonly reader: AuditReader;
  readonly authenticate: Authenticate;
  /** Whose routes are served, too. */
  readonly accounts?: Pick<Accounts, 'addRoutes'> | undefined;
  /** Where people reach the pages; `undefined` where the `Host` of a request says so. */
  readonly publicUrl?: string | undefined;
  /** Proxies whose word on where a request comes from is believed: addresses and networks. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Default: none is configured, and none can be added. */
  readonly sources?: SourceServices | undefined;
  /** Default: this server can't verify. */
  readonly verify?: VerifyLog | undefined;
  /** Of the program, for people. */
  readonly version: string;
  /** Told of what went wrong without being the asker's fault. Holds no row values. */
  readonly onError: (error: unknown) => void;
}

export type Dashboard = OpenAPIHono<DashboardEnvironment>;

const mostBodyBytes = 64 * 1024;

/** The pages and their API: answers requests, `dashboard.fetch(request)`. Listens nowhere by itself. */
export function createDashboard(options: DashboardOptions): Dashboard {
  const {
    reader,
    authenticate,
    accounts,
    publicUrl,
    trustedProxies = [],
    sources,
    verify,
    version,
    onError,
  } = options;
  const app: Dashboard = new OpenAPIHono<DashboardEnvironment>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const [issue] = result.error.issues;
      const message = `${issue?.path.join('.') ?? 'The request'}: ${issue?.message ?? 'not understood'}`;
      return c.json(problem('bad-request', message, 'See /docs for what this route takes.'), 400);
    },
  });
  app.use(securityHeaders());
  app.use('/api/*', bodyLimit(mostBodyBytes));
  app.use('/api/*', async (c, next) => {
    // No text of a database holds one, and asking for it is an error of SQL.
    if (/%00/.test(c.req.url)) throw new ApiProblem(400, 'nul', 'There is a NUL character in the address');
    await next();
  });
  app.use('/api/*', clientAddress(trustedProxies));
  app.use('/api/*', sameOrigin(publicUrl));
  app.use('/api/*', async (c, next) => {
    c.header('cache-control', 'no-store');
    const principal = await authenticate(c.req.raw);
    if (principal) c.set('principal', principal);
    await next();
  });
  app.onError(async (error, c) => {
    const known = problemOfError(error) ?? (await problemOfSchema(error, reader));
    if (known) return c.json(problem(known.code, known.message, known.fix), known.status);
    onError(error);
    return c.json(
      problem('unavailable', 'The audit database could not be read', 'Try again; bemi doctor says why.'),
      503,
    );
  });
  sessionRoute(app, { version, hasAccounts: accounts !== undefined });
  if (accounts) accounts.addRoutes(app);
  else noAccounts(app);
  logsRoutes(app, reader);
  activityRoute(app, reader);
  entriesRoutes(app, reader);
  streamRoute(app, { reader, authenticate, tail: createLogTail(() => reader.read(logEnds)) });
  exportRoute(app, reader);
  recordRoute(app, reader);
  transactionsRoute(app, reader);
  integrityRoutes(app, { reader, verifications: createVerifications(verify) });
  accessesRoute(app, reader);
  rulesRoutes(app, reader);
  sourcesRoutes(app, { reader, services: sources ?? noSourceServices });
  healthRoutes(app, reader);
  openApiDocument(app, version);
  app.all('/api/*', (c) =>
    c.json(problem('unknown-route', 'There is no such route', '/docs lists the routes.'), 404),
  );
  webPages(app);
  return app;
}

/** Of the pages of accounts, whose addresses one may have kept from elsewhere. */
function noAccounts(app: Dashboard): void {
  const [message, fix] = [
    'This server keeps no accounts',
    'bemi start and bemi dashboard do; the demo does not.',
  ];
  for (const path of ['/api/v1/auth/*', '/api/v1/accounts/*'])
    app.all(path, (c) => c.json(problem('no-accounts', message, fix), 404));
}

function problem(code: string, message: string, fix?: string): Problem {
  return { error: { code, message, ...(fix === undefined ? {} : { fix }) } };
}
