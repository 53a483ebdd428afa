import { setTimeout as delay } from 'node:timers/promises';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import type { Worker } from '@bemi-db/worker';
import type { AccessRecorder } from '@bemi-db/worker/access/access-recorder';
import type { HealthMonitor } from '@bemi-db/worker/health/health-monitor';
import type { Logger } from 'pino';
import type { ConfiguredSource } from '../configuration/configuration.ts';
import { explainError } from '../output/explain-error.ts';
import { configuredMonitor } from './configured-monitor.ts';
import { configuredWorker, type Destination } from './configured-worker.ts';

/** The recording of one source: a worker, and what looks after it. */
export interface Pipeline {
  /** Of the source, and of its log. */
  readonly name: string;
  /** Its slot, and the server of that: no other pipeline may have the same. */
  readonly place: string;
  readonly worker: Worker;
  readonly monitor: HealthMonitor;
  readonly logger: Logger;
  /** When it is tried again, while it has refused. */
  triedAgainAt: Date | undefined;
}

/** After what no time cures somebody has to do something: it is looked at again so often whether he has. */
const retryMs = 60_000;

/**
 * @param accesses - of this process: its monitors tell of it.
 * @param isOneOfSeveral - its lines of the log then say which it is.
 */
export function pipeline(
  source: ConfiguredSource,
  destination: Pick<Destination, 'url' | 'setWith'>,
  logger: Logger,
  { accesses, isOneOfSeveral }: { readonly accesses: AccessRecorder; readonly isOneOfSeveral: boolean },
): Pipeline {
  const { database, host, port } = parseConnectionString(source.databaseUrl, source.urlSetWith).target;
  const name = source.name ?? database;
  const own = isOneOfSeveral ? logger.child({ source: name }) : logger;
  const worker = configuredWorker({ source, destination, logger: own });
  const monitor = configuredMonitor({ source, destination, logger: own, worker, accesses });
  const place = `${source.slot} of ${host}:${port}`;
  return { ...{ name, place, worker, monitor, logger: own }, triedAgainAt: undefined };
}

/**
 * Runs one of several until the signal stops it. What makes it refuse is no reason for the others to stop: it is said, and
 * tried again after a while, so that whoever cures it need not stop them.
 *
 * @param retry - resolves when somebody wants it tried now.
 * @param isOnly - whether there are no others: then it ends the process, whose supervisor has to know.
 */
export async function runBesideOthers(
  started: Pipeline,
  signal: AbortSignal,
  retry: () => Promise<void>,
  isOnly: () => Promise<boolean> = async () => false,
): Promise<void> {
  const { worker, monitor, logger } = started;
  let said: string | undefined;
  while (!signal.aborted) {
    try {
      await worker.run({ signal });
      return;
    } catch (error) {
      if (await isOnly()) {
        await monitor.look(); // somebody has to be told before the process is gone
        throw error;
      }
      const { code, message, fix } = explainError(error);
      if (said !== message) logger.error({ code, fix }, message);
      said = message;
      await monitor.look(); // somebody has to be told
    }
    const abort = new AbortController();
    const waiting = AbortSignal.any([signal, abort.signal]);
    started.triedAgainAt = new Date(Date.now() + retryMs);
    const pause = delay(retryMs, undefined, { signal: waiting }).catch(() => undefined);
    await Promise.race([pause, retry()]);
    started.triedAgainAt = undefined;
    abort.abort();
  }
}
