import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listen } from '@bemi-db/worker/listen';
import { type Flags, loadConfiguration } from '../configuration/configuration.ts';
import { createLogger } from '../logging/create-logger.ts';
import { abortOnSignals } from '../recording/abort-on-signals.ts';
import { openDestination } from '../recording/configured-worker.ts';
import { dashboardSite } from './dashboard-site.ts';
import { sayFirstAdminLink } from './first-admin-link.ts';
import { originOf } from './origin.ts';

export interface RunDashboardOptions {
  readonly flags: Flags;
  readonly isEmbedded: boolean;
}

/** Serves the pages and their API, and nothing else, until a signal stops it. */
export async function runDashboard({ flags, isEmbedded }: RunDashboardOptions): Promise<void> {
  const configuration = loadConfiguration({ flags });
  const logger = createLogger(configuration.logLevel);
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort, logger);
  const destination = await openDestination(configuration, isEmbedded, logger);
  const site = dashboardSite({ configuration, destination, logger, onFirstAdminLink: sayFirstAdminLink });
  const server = createServer((request, response) => {
    if (request.url === '/healthz') response.end('{"status":"alive"}\n');
    else site.listener(request, response);
  });
  try {
    const { host } = configuration;
    await listen(server, host, configuration.port);
    const { port } = server.address() as AddressInfo;
    logger.info({ host, port }, 'Answering the dashboard and its API');
    void site.open(originOf(host, port));
    if (!abort.signal.aborted)
      await new Promise((resolve) => abort.signal.addEventListener('abort', resolve, { once: true }));
  } finally {
    stopListening();
    await site.close();
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
    await destination.close();
  }
}
