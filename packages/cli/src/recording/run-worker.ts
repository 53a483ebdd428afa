import { accessLogName } from '@bemi-db/trail/access/access-log';
import type { AccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { metricsRegistry } from '@bemi-db/worker/health/metrics';
import { startHealthServer } from '@bemi-db/worker/health-server';
import type { Logger } from 'pino';
import { CliError } from '../cli-error.ts';
import { type Configuration, type Flags, loadConfiguration } from '../configuration/configuration.ts';
import { dashboardSite } from '../dashboard/dashboard-site.ts';
import { sayFirstAdminLink } from '../dashboard/first-admin-link.ts';
import { originOf } from '../dashboard/origin.ts';
import { createLogger } from '../logging/create-logger.ts';
import { explainError } from '../output/explain-error.ts';
import { abortOnSignals } from './abort-on-signals.ts';
import { configuredAccessRecorder } from './configured-access-recorder.ts';
import { configuredSources } from './configured-sources.ts';
import { type Destination, openDestination } from './configured-worker.ts';
import { type Pipeline, pipeline, runBesideOthers } from './pipeline.ts';
import { watchConfiguration } from './watch-configuration.ts';

export interface RunWorkerOptions {
  readonly flags: Flags;
  readonly isEmbedded: boolean;
  readonly isDraining: boolean;
  /** Serve the dashboard too, on the same port. */
  readonly hasDashboard?: boolean;
}

/**
 * Runs the worker until a signal stops it, or, draining, until everything is recorded. Where the configuration file names
 * several sources, each has a pipeline of its own, and what is wrong with one is nothing to the others.
 *
 * @throws ProblemError when the only one can't go on without a gap, or no server can cure what is wrong.
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const { flags } = options;
  const configuration = loadConfiguration({ flags });
  const sources = configuredSources(configuration);
  const logger = createLogger(configuration.logLevel);
  warnOfExposedSecrets(configuration, logger);
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort, logger);
  try {
    const destination = await openDestination(configuration, options.isEmbedded, logger);
    try {
      const accesses = configuredAccessRecorder(configuration, destination, logger);
      const isOneOfSeveral = sources.length > 1;
      const pipelines = sources.map((source) =>
        pipeline(source, destination, logger, { accesses, isOneOfSeveral }),
      );
      if (options.isDraining) {
        const recorded = accesses.run({ signal: abort.signal, drain: true });
        await drain(pipelines, abort.signal).finally(() => recorded);
      } else {
        const { signal } = abort;
        await serve({ pipelines, accesses, configuration, destination, options, signal, logger });
      }
    } finally {
      await destination.close();
    }
  } finally {
    stopListening();
  }
}

function warnOfExposedSecrets({ file }: Configuration, logger: Logger): void {
  if (!file || file.exposed.length === 0) return;
  logger.warn(
    { fix: `chmod 600 ${file.path}, or name variables in it: \${NAME}` },
    `Others than its owner may read ${file.name}, which has secrets in it: ${file.exposed.join(', ')}`,
  );
}

/** All of them, whatever becomes of one. */
async function drain(pipelines: readonly Pipeline[], signal: AbortSignal): Promise<void> {
  const ended = await Promise.allSettled(
    pipelines.map(async ({ worker, logger }) => {
      try {
        await worker.run({ signal, drain: true });
      } catch (error) {
        if (pipelines.length > 1) {
          const { code, message, fix } = explainError(error);
          logger.error({ code, fix }, message);
        }
        throw error;
      }
      const { changes, transactions, quarantined } = worker.status();
      const message = signal.aborted ? 'Stopped before the end' : 'Drained';
      logger.info({ changes, transactions, quarantined }, message);
    }),
  );
  const failed = ended.flatMap((each, i) =>
    each.status === 'rejected' ? [{ name: pipelines[i]!.name, error: each.reason as unknown }] : [],
  );
  const [first] = failed;
  if (!first) return;
  if (pipelines.length === 1) throw first.error;
  const { exitCode } = explainError(first.error);
  const names = failed.map(({ name }) => name).join(', ');
  throw new CliError(
    exitCode === 1 ? 1 : 2,
    'not-drained',
    `${failed.length} of ${pipelines.length} sources could not be drained: ${names}`,
    'Why, and what to do, was said above. The others are recorded.',
    { cause: first.error },
  );
}

interface ServeOptions {
  readonly pipelines: readonly Pipeline[];
  readonly accesses: AccessRecorder;
  readonly configuration: Configuration;
  readonly destination: Destination;
  readonly options: RunWorkerOptions;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

async function serve(serving: ServeOptions): Promise<void> {
  const { pipelines, accesses, configuration, destination, options, signal, logger } = serving;
  const { flags, hasDashboard = false } = options;
  const { host, port, file } = configuration;
  const site = hasDashboard
    ? dashboardSite({ configuration, destination, logger, onFirstAdminLink: sayFirstAdminLink })
    : undefined;
  const registry = metricsRegistry(
    pipelines.map(({ monitor }) => monitor),
    accesses,
  );
  const health = await startHealthServer({
    workers: pipelines.map(({ name, worker }) => ({
      name,
      status: () => worker.status(),
      readLog: (path) => worker.readLog(path),
    })),
    otherLogs: [{ name: accessLogName, readLog: (path) => accesses.readLog(path) }],
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    ...(site ? { elsewhere: site.listener } : {}),
    host,
    port,
  });
  void site?.open(originOf(health.host, health.port));
  const isOnlyOne = pipelines.length === 1;
  logger.info(
    { host: health.host, port: health.port },
    isOnlyOne
      ? 'Answering /healthz, /readyz, /metrics, /checkpoint and /tile'
      : 'Answering /healthz, /readyz, /metrics, and for each source /readyz/<source> and /logs/<source>/checkpoint',
  );
  const watch = file && watchConfiguration({ file, flags, pipelines, logger });
  const monitoring = new AbortController();
  const monitored = pipelines.map(({ monitor }) => monitor.run({ signal: monitoring.signal }));
  // Beside the sources: nothing that becomes of it is anything to them.
  const recordingAccesses = new AbortController();
  const recorded = accesses.run({ signal: AbortSignal.any([signal, recordingAccesses.signal]) });
  try {
    if (isOnlyOne) await runAlone(pipelines[0]!, signal);
    else {
      const retry = () => watch?.next() ?? new Promise<void>(() => undefined);
      await Promise.all(pipelines.map((each) => runBesideOthers(each, signal, retry)));
    }
    for (const each of pipelines) {
      const { changes, transactions } = each.worker.status();
      each.logger.info({ changes, transactions }, 'Stopped');
    }
  } finally {
    watch?.close();
    monitoring.abort();
    recordingAccesses.abort();
    await Promise.all([...monitored, recorded, health.close(), site?.close()]);
  }
}

async function runAlone({ worker, monitor }: Pipeline, signal: AbortSignal): Promise<void> {
  try {
    await worker.run({ signal });
  } catch (error) {
    await monitor.look(); // somebody has to be told before the process is gone
    throw error;
  }
}
