// A worker in a process of its own, which fails at its failpoints now and then.
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '@bemi-db/test-kit/random-workload/seeded-random';
import { createWorker } from '@bemi-db/worker';
import type { FailpointHook } from '@bemi-db/worker/failpoints';
import type { SoakWorkerOptions, WorkerLine } from './soak-worker.ts';

/** As when a connection breaks. */
class InjectedFailure extends Error {
  readonly code = 'ECONNRESET';
}

/** Between telling the slot and storing what it was told of: time for a kill. */
const brokenPauseMs = 30;

const options = JSON.parse(process.argv[2] ?? '') as SoakWorkerOptions;
const random = seededRandom(options.seed);
/** So many, and then it gets on: when the clients have stopped, everything must come to be recorded. */
let failuresLeft = 4;
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

const tell = (line: WorkerLine): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const failpoint: FailpointHook = async (name, acts) => {
  if (options.isBroken && name === 'commit:before') {
    acts?.confirm();
    await delay(brokenPauseMs);
  }
  if (failuresLeft === 0 || !random.chance(options.failureProbability)) return;
  failuresLeft--;
  tell({ failpoint: name });
  throw new InjectedFailure(name);
};

const quiet = (): void => undefined;
const warn = (fields: object, message: string): void => {
  if ('code' in fields) tell({ waits: `${fields.code}: ${message}` });
};
const worker = createWorker({
  source: options.source,
  destination: options.destination,
  name: options.name,
  slot: options.slot,
  stateDirectory: options.stateDirectory,
  bufferSize: 200,
  aliveIntervalMs: 1_000,
  // A connection that is half open is noticed within seconds: many come in a round.
  liveness: {
    connectTimeoutMs: 3_000,
    askAfterMs: 2_000,
    deadAfterMs: 4_000,
    transferDeadAfterMs: 6_000,
    replaceAfterMs: 10_000,
  },
  failpoint,
  logger: { debug: quiet, info: (_fields, message) => tell({ waits: message }), warn, error: quiet },
});
try {
  await worker.run({ signal: stop.signal });
  process.exit(0);
} catch (error) {
  const { problem } = error as { readonly problem?: { readonly code: string; readonly message: string } };
  tell({ ended: problem ? `${problem.code}: ${problem.message}` : String(error) });
  process.exit(1);
}
