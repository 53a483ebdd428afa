import { parseConnectionString } from '@bemi-db/source/connection-string';
import type { Worker } from '@bemi-db/worker';
import type { HealthMonitor } from '@bemi-db/worker/health/health-monitor';
import { metricsRegistry } from '@bemi-db/worker/health/metrics';
import { startHealthServer } from '@bemi-db/worker/health-server';
import type { Logger } from 'pino';
import {
  type Configuration,
  type Flags,
  loadConfiguration,
  requireDatabaseUrl,
} from '../configuration/configuration.ts';
import { createLogger } from '../logging/create-logger.ts';
import { configuredMonitor } from './configured-monitor.ts';
import { configuredWorker, openDestination } from './configured-worker.ts';

export interface RunWorkerOptions {
  readonly flags: Flags;
  readonly isEmbedded: boolean;
  readonly isDraining: boolean;
}

/**
 * Runs the worker until a signal stops it, or, draining, until everything is recorded.
 *
 * @throws ProblemError when going on would leave a gap, or no server can cure what is wrong.
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const configuration = loadConfiguration({ flags: options.flags });
  const source = requireDatabaseUrl(configuration);
  parseConnectionString(source, 'BEMI_DATABASE_URL'); // before anything is started
  const logger = createLogger(configuration.logLevel);
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort, logger);
  try {
    const destination = await openDestination(configuration, options.isEmbedded, logger);
    try {
      const worker = configuredWorker({ configuration, source, destination: destination.url, logger });
      if (options.isDraining) await drain(worker, abort.signal, logger);
      else {
        const monitor = configuredMonitor({
          configuration,
          source,
          destination: destination.url,
          logger,
          worker,
        });
        await serve(worker, monitor, configuration, abort.signal, logger);
      }
    } finally {
      await destination.close();
    }
  } finally {
    stopListening();
  }
}

async function drain(worker: Worker, signal: AbortSignal, logger: Logger): Promise<void> {
  await worker.run({ signal, drain: true });
  const { changes, transactions, quarantined } = worker.status();
  logger.info({ changes, transactions, quarantined }, signal.aborted ? 'Stopped before the end' : 'Drained');
}

async function serve(
  worker: Worker,
  monitor: HealthMonitor,
  { host, port }: Configuration,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  const registry = metricsRegistry([monitor]);
  const health = await startHealthServer({
    status: () => worker.status(),
    readLog: (path) => worker.readLog(path),
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    host,
    port,
  });
  logger.info(
    { host: health.host, port: health.port },
    'Answering /healthz, /readyz, /metrics, /checkpoint and /tile',
  );
  const monitoring = new AbortController();
  const monitored = monitor.run({ signal: monitoring.signal });
  try {
    await worker.run({ signal });
    const { changes, transactions } = worker.status();
    logger.info({ changes, transactions }, 'Stopped');
  } catch (error) {
    await monitor.look(); // somebody has to be told before the process is gone
    throw error;
  } finally {
    monitoring.abort();
    await Promise.all([monitored, health.close()]);
  }
}

/** One press of Ctrl-C reaches us twice under `npm run` and `npx`: from the terminal, and passed on by npm. */
const echoMs = 300;

/** The first signal stops the worker in order, the second ends the process. */
function abortOnSignals(abort: AbortController, logger: Logger): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  let firstAtMs = 0;
  const onSignal = (signal: string): void => {
    if (abort.signal.aborted) {
      if (performance.now() - firstAtMs > echoMs) process.exit(1);
      return;
    }
    firstAtMs = performance.now();
    logger.info({ signal }, 'Stopping: what is finished is stored; a second signal ends it at once');
    abort.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}
