import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { sourceSummaries } from '@bemi-db/trail/query/trail-summary';
import { createWorker, type WorkerOptions } from '@bemi-db/worker';
import { connect } from '@bemi-db/worker/connections';
import { HealthMonitor } from '@bemi-db/worker/health/health-monitor';
import { type Logger, silentLogger } from '@bemi-db/worker/logger';
import type pg from 'pg';
import { textStyle } from '../presentation/text-style.ts';
import { version } from '../version.ts';
import type { DemoCluster } from './demo-cluster.ts';
import type { DemoSession } from './demo-session.ts';

/** The worker at work, and a connection that reads what it records. */
export interface Recording {
  /** To the audit database. Its transactions are read-only. */
  readonly reader: pg.Client;
  readonly log: number;
  /** Rejects when the worker can't go on; resolves when it has been stopped. */
  readonly ended: Promise<void>;
  /** Since the start. */
  counts(): { readonly changes: number; readonly transactions: number };
}

const pollMs = 20;

/** Starts the worker in this process, and waits until it records. The session's teardown ends it. */
export async function startRecording(
  { folder, recorder, auditUrl }: DemoCluster,
  { signal, teardown }: DemoSession,
): Promise<Recording> {
  const targets = {
    source: recorder.url,
    destination: auditUrl,
    stateDirectory: join(folder, 'worker'),
  } satisfies WorkerOptions;
  const worker = createWorker({ ...targets, logger: warnings() });
  const stop = new AbortController();
  const ended = worker.run({ signal: stop.signal });
  teardown.add(async () => {
    stop.abort();
    // Why it ended before, if it did, is told by whoever waited for it.
    await ended.catch(() => undefined);
  });
  const state = (): string => worker.status().state;
  while (state() !== 'recording') await Promise.race([delay(pollMs, undefined, { signal }), rejected(ended)]);
  const monitor = new HealthMonitor({ ...targets, worker, version: version(), intervalMs: 5_000 });
  const monitored = monitor.run({ signal: stop.signal });
  teardown.add(async () => {
    stop.abort();
    await monitored;
  });

  const open = await connect(parseConnectionString(auditUrl, 'bemi demo'), 'demo');
  teardown.add(async () => {
    await open.close();
  });
  await open.client.query('SET default_transaction_read_only = on');
  const [summary] = await sourceSummaries(open.client);
  return { reader: open.client, log: summary!.log, ended, counts: () => worker.status() };
}

async function rejected(promise: Promise<void>): Promise<void> {
  await promise;
  throw new Error('The worker ended before it recorded');
}

/** What keeps the worker from recording is said; everything else of its log would drown the changes. */
function warnings(): Logger {
  const { colors } = textStyle(process.stderr);
  const warn = (_fields: object, message: string): void => {
    process.stderr.write(`${colors.yellow('!')} ${message}\n`);
  };
  return { ...silentLogger, warn, error: warn };
}
