import type { Worker } from '@bemi-db/worker';
import type { AccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { HealthMonitor } from '@bemi-db/worker/health/health-monitor';
import { alertChannels } from '../alerts/alert-channels.ts';
import { bemiFolder, makeBemiFolder } from '../configuration/bemi-folder.ts';
import { version } from '../version.ts';
import type { ConfiguredWorkerOptions } from './configured-worker.ts';

/** What looks after a worker, as the settings describe it. */
export function configuredMonitor({
  source,
  destination,
  logger,
  worker,
  accesses,
}: ConfiguredWorkerOptions & {
  readonly worker: Worker;
  readonly accesses: AccessRecorder;
}): HealthMonitor {
  const { slot, healthyLagBytes, retainedWalBytes, stateDirectory } = source;
  return new HealthMonitor({
    worker,
    source: source.databaseUrl,
    ...(source.name === undefined ? {} : { name: source.name }),
    destination: destination.url,
    slot,
    stateDirectory: stateDirectory ?? makeBemiFolder(bemiFolder()).path,
    channels: alertChannels(source),
    limits: { healthyLagBytes, retainedWalBytes },
    version: version(),
    accesses: () => accesses.status(),
    logger,
  });
}
