import { setTimeout as delay } from 'node:timers/promises';
import { accessLogName } from '@bemi-db/trail/access/access-log';
import type { AccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { metricsRegistry } from '@bemi-db/worker/health/metrics';
import { startHealthServer } from '@bemi-db/worker/health-server';
import { ProblemError } from '@bemi-db/worker/problem';
import type { Logger } from 'pino';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import {
  type Configuration,
  type Flags,
  loadConfiguration,
  requireDatabaseUrl,
} from '../configuration/configuration.ts';
import type { DashboardSite, DashboardSiteOptions } from '../dashboard/dashboard-site.ts';
import { sayFirstAdminLink } from '../dashboard/first-admin-link.ts';
import { originOf } from '../dashboard/origin.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { createLogger } from '../logging/create-logger.ts';
import { abortOnSignals } from './abort-on-signals.ts';
import { AddedPipelines } from './added-pipelines.ts';
import { configuredAccessRecorder } from './configured-access-recorder.ts';
import { configuredSources } from './configured-sources.ts';
import { type Destination, openDestination } from './configured-worker.ts';
import { drain } from './drain.ts';
import { type Pipeline, pipeline, runBesideOthers } from './pipeline.ts';
import { recordedStates } from './recorded-states.ts';
import { watchConfiguration } from './watch-configuration.ts';

export interface RunWorkerOptions {
  readonly flags: Flags;
  readonly isEmbedded: boolean;
  readonly isDraining: boolean;
  /** Whether what is drained is put into the index that searches use, before it ends. Default true. */
  readonly isIndexing?: boolean;
  /** Serve the dashboard too, on the same port. */
  readonly hasDashboard?: boolean;
}

/**
 * Runs the worker until a signal stops it, or, draining, until everything is recorded. Where there are several sources, named
 * in the configuration file or added in the dashboard, each has a pipeline of its own, and what is wrong with one is nothing
 * to the others.
 *
 * @throws ProblemError when the only one can't go on without a gap, or no server can cure what is wrong.
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const { flags, isEmbedded, isDraining, isIndexing = true, hasDashboard = false } = options;
  const configuration = loadConfiguration({ flags });
  const sources = configuredSources(configuration);
  const isWithoutAny = sources.length === 0 && !hasDashboard;
  const hasTrail = isEmbedded ? hasEmbedded(bemiFolder()) : configuration.destinationUrl !== undefined;
  if (isWithoutAny && !hasTrail) requireDatabaseUrl(configuration);
  const logger = createLogger(configuration.logLevel);
  warnOfExposedSecrets(configuration, logger);
  const abort = new AbortController();
  const stopListening = abortOnSignals(abort, logger);
  try {
    const destination = await openDestination(configuration, isEmbedded, logger);
    try {
      const accesses = configuredAccessRecorder(configuration, destination, logger);
      const isOneOfSeveral = sources.length > 1;
      const configured = sources.map((source) =>
        pipeline(source, destination, logger, { accesses, isOneOfSeveral }),
      );
      const added = new AddedPipelines({ configuration, destination, configured, accesses, logger });
      if (isWithoutAny && (await countAdded(added, isDraining, abort.signal, logger)) === 0)
        requireDatabaseUrl(configuration);
      const { signal } = abort;
      if (isDraining) await drain({ configured, added, accesses, destination, isIndexing, signal, logger });
      else await serve({ configured, added, accesses, configuration, destination, options, signal, logger });
    } finally {
      await destination.close();
    }
  } finally {
    stopListening();
  }
}

const auditRetryMs = 5_000;

/** How many sources were added in the dashboard. A worker that may have some waits for the audit database, as any other. */
async function countAdded(
  added: AddedPipelines,
  isDraining: boolean,
  signal: AbortSignal,
  logger: Logger,
): Promise<number | undefined> {
  let said: string | undefined;
  while (!signal.aborted) {
    try {
      return await added.count();
    } catch (error) {
      if (isDraining || !(error instanceof ProblemError) || error.problem.kind !== 'retry') throw error;
      const { code, message, fix } = error.problem;
      if (said !== message) logger.warn({ code, fix }, message);
      said = message;
    }
    await delay(auditRetryMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

function warnOfExposedSecrets({ file }: Configuration, logger: Logger): void {
  if (!file || file.exposed.length === 0) return;
  logger.warn(
    { fix: `chmod 600 ${file.path}, or name variables in it: \${NAME}` },
    `Others than its owner may read ${file.name}, which has secrets in it: ${file.exposed.join(', ')}`,
  );
}

interface ServeOptions {
  /** Of the sources that the configuration names. */
  readonly configured: readonly Pipeline[];
  readonly added: AddedPipelines;
  readonly accesses: AccessRecorder;
  readonly configuration: Configuration;
  readonly destination: Destination;
  readonly options: RunWorkerOptions;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

async function serve(serving: ServeOptions): Promise<void> {
  const { configured, added, accesses, configuration, options, signal, logger } = serving;
  const { flags, hasDashboard = false } = options;
  const { host, port, file } = configuration;
  const all = (): readonly Pipeline[] => [...configured, ...added.pipelines];
  const site = hasDashboard
    ? await makeSite({ ...serving, recorded: () => recordedStates(all(), added.problems) })
    : undefined;
  const monitors = {
    *[Symbol.iterator]() {
      for (const { monitor } of all()) yield monitor;
    },
  };
  const registry = metricsRegistry(monitors, accesses);
  const health = await startHealthServer({
    get workers() {
      return all().map(({ name, worker }) => ({
        name,
        // Who reads a log there must find it when another source is added.
        isFirst: configured.length === 1 && name === configured[0]!.name,
        status: () => worker.status(),
        readLog: (path: string) => worker.readLog(path),
      }));
    },
    otherLogs: [{ name: accessLogName, readLog: (path) => accesses.readLog(path) }],
    metrics: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    ...(site ? { elsewhere: site.listener } : {}),
    host,
    port,
  });
  const origin = originOf(health.host, health.port);
  void site?.open(origin);
  logger.info(
    { host: health.host, port: health.port },
    configured.length === 1
      ? 'Answering /healthz, /readyz, /metrics, /checkpoint and /tile'
      : 'Answering /healthz, /readyz, /metrics, and for each source /readyz/<source> and /logs/<source>/checkpoint',
  );
  if (configured.length === 0 && hasDashboard) {
    const url = `${configuration.publicUrl ?? origin}/sources`;
    logger.info({ url }, 'The configuration names no source: add one in the dashboard, under Data sources');
  }
  const watch = file && watchConfiguration({ file, flags, pipelines: configured, logger });
  // Beside the sources that are configured: nothing that becomes of these is anything to them.
  const beside = new AbortController();
  const monitored = configured.map(({ monitor }) => monitor.run({ signal: beside.signal }));
  const stopping = AbortSignal.any([signal, beside.signal]);
  const recorded = accesses.run({ signal: stopping });
  const following = added.run(stopping);
  try {
    const retry = () => watch?.next() ?? new Promise<void>(() => undefined);
    const isOnly = async () => configured.length === 1 && !(await added.hasAny());
    await Promise.all(configured.map((each) => runBesideOthers(each, signal, retry, isOnly)));
    if (configured.length === 0) await following;
    for (const each of configured) {
      const { changes, transactions } = each.worker.status();
      each.logger.info({ changes, transactions }, 'Stopped');
    }
  } finally {
    watch?.close();
    beside.abort();
    await Promise.all([...monitored, recorded, following, health.close(), site?.close()]);
  }
}

/** Its accounts and its API are 700 modules, half a second of work, which a worker alone does without. */
async function makeSite(
  options: Pick<DashboardSiteOptions, 'configuration' | 'destination' | 'logger' | 'recorded'>,
): Promise<DashboardSite> {
  const { dashboardSite } = await import('../dashboard/dashboard-site.ts');
  const { configuration, destination, logger, recorded } = options;
  return dashboardSite({
    ...{ configuration, destination, logger, onFirstAdminLink: sayFirstAdminLink },
    ...(recorded ? { recorded } : {}),
  });
}
