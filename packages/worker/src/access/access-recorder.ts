import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import type { ReportedState } from '@bemi-db/trail/health/report-health';
import type { LogResource } from '@bemi-db/trail/tree/log-resource';
import { AbandonedBackends } from '../abandoned-backends.ts';
import { type LivenessTimings, livenessTimings } from '../connection-liveness.ts';
import { reportedState } from '../health/reported-state.ts';
import { type Logger, silentLogger } from '../logger.ts';
import { explainProblem, type Problem, ProblemError } from '../problem.ts';
import { directoryTarget } from '../publication/directory-target.ts';
import { type PublicationEnvironment, publicationTargets } from '../publication/publication-url.ts';
import { retentionIntervalMs } from '../retention/automatic-retention.ts';
import { retryDelayMs } from '../retry-delay.ts';
import type { WorkerState } from '../worker-status.ts';
import {
  type AccessGapRequest,
  acceptAccessGap,
  type LostAccesses,
  nothingLost,
} from './accept-access-gap.ts';
import { recordAccesses } from './access-recording.ts';
import { openAccessSession } from './open-access-session.ts';

export interface AccessRecorderOptions {
  /** The audit database: its URL, or with a password that may change. */
  readonly destination: string | SecretConnection;
  /** What it was set with, for messages. Default `BEMI_DESTINATION_URL`. */
  readonly destinationSetWith?: string;
  /** As of a worker, which it shares the key with. Default: what BEMI_STATE_DIR names, else `.bemi`. */
  readonly stateDirectory?: string;
  readonly signingKey?: string;
  readonly checkpointUrl?: string;
  readonly publicationEnvironment?: PublicationEnvironment;
  /** Days that accesses are kept: of a new log, or longer than before. Default 2192 for a new log. */
  readonly retentionDays?: number;
  /** Between two looks at what has expired. Default an hour. */
  readonly retentionIntervalMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
  /** For tests: when a silent connection counts as dead. */
  readonly liveness?: LivenessTimings;
}

export interface AccessStatus {
  /** `starting` too while there is no log of accesses: it begins with the first access. */
  readonly state: ReportedState;
  readonly problem: Problem | undefined;
}

/** Keeps the log of accesses of an audit database, beside the workers that record sources. */
export interface AccessRecorder {
  /**
   * Turns requests into entries until the signal comes; with `drain`, until none waits. It never throws: what is in its way
   * is said to the logger, and tried again. What was asked for stays in the inbox meanwhile.
   *
   * @returns whether all that was asked for is recorded. Without `drain` that is always so.
   */
  run(options?: { readonly signal?: AbortSignal; readonly drain?: boolean }): Promise<boolean>;
  /**
   * Accepts that entries are gone which were signed: the audit database was restored from an older copy.
   *
   * @throws ProblemError when none are, or another worker holds the log.
   */
  acceptGap(request: AccessGapRequest): Promise<LostAccesses & { readonly sequence: number }>;
  /** What keeps it from recording now. */
  problem(): Problem | undefined;
  status(): AccessStatus;
  /** What anybody may read of the log, as of a source's. */
  readLog(path: string): Promise<LogResource | undefined>;
}

/** After what no time cures somebody has to do something: it is looked at again so often whether he has. */
const refusedRetryMs = 60_000;
/** Draining, what time may cure is tried again for so long: less than {@link refusedRetryMs}. */
const drainPatienceMs = 30_000;
/** Draining, another worker that has the log records what waits. */
const drainLockTries = 3;
/** A worker that refuses over and over holds the log for moments only. */
const gapLockTries = 10;

/**
 * Makes what records the accesses of an audit database: one for a process, whatever number of sources it records. The first
 * process that asks gets to write; others wait and take over.
 *
 * @throws ConnectionStringError when the URL can't be used.
 */
export function createAccessRecorder(options: AccessRecorderOptions): AccessRecorder {
  const directory = options.stateDirectory ?? process.env['BEMI_STATE_DIR'] ?? '.bemi';
  const destination = parseConnectionString(
    options.destination,
    options.destinationSetWith ?? 'BEMI_DESTINATION_URL',
  );
  const targets = [
    directoryTarget(resolve(directory, 'checkpoints')),
    ...publicationTargets(options.checkpointUrl ?? '', options.publicationEnvironment ?? process.env),
  ];
  const signing = { directory, key: options.signingKey };
  const logger = options.logger ?? silentLogger;
  const abandoned = new AbandonedBackends();
  const liveness = options.liveness ?? livenessTimings;
  let problem: Problem | undefined;
  let readLog: ((path: string) => Promise<LogResource | undefined>) | undefined;
  let hasStarted = false;
  let failures = 0;
  let state: WorkerState = 'starting';

  /** One line for each change of what is in the way. What keeps a source from being recorded too is said there. */
  const say = (next: Problem): void => {
    const isNew = problem?.code !== next.code || problem.message !== next.message;
    problem = next;
    if (!isNew) return;
    const { code, message, fix, kind } = next;
    const text = `The log of accesses: ${message}`;
    if (kind === 'refuse') logger.error({ code, fix }, text);
    else logger.debug({ code, fix }, text);
  };

  const shared = { destination, signing, publicationTargets: targets, liveness, abandoned, logger };

  const session = async (signal: AbortSignal, isDraining: boolean): Promise<void> => {
    let tries = 0;
    const open = await openAccessSession({
      ...{ ...shared, signal, isDraining },
      onWaiting: (inUse) => {
        const message = 'Another worker records the accesses of this audit database';
        if (isDraining && ++tries > drainLockTries) throw new ProblemError({ ...inUse, message });
        say({ ...inUse, message });
      },
    });
    if (!open) return;
    try {
      problem = undefined;
      state = 'recording';
      await recordAccesses({
        ...{ session: open, signing, publicationTargets: targets, isDraining, signal, logger },
        retentionDays: options.retentionDays,
        retentionIntervalMs: options.retentionIntervalMs ?? retentionIntervalMs,
        startEvent: hasStarted || isDraining ? undefined : { event: 'started', pid: process.pid },
        onDurable: () => {
          hasStarted = true;
          failures = 0; // what got something recorded was a success: the next try may come soon
        },
        onReader: (reader) => {
          readLog = (path) => reader.resource(path);
        },
      });
    } finally {
      readLog = undefined;
      state = 'starting';
      await open.close();
    }
  };

  return {
    async acceptGap(request) {
      let tries = 0;
      const open = await openAccessSession({
        ...{ ...shared, signal: new AbortController().signal, isDraining: true, isGapAccepted: true },
        onWaiting: (inUse) => {
          if (++tries < gapLockTries) return;
          throw new ProblemError({ ...inUse, fix: 'Stop it first, wherever it runs.', kind: 'refuse' });
        },
      });
      if (!open) throw nothingLost();
      try {
        return await acceptAccessGap(open, request);
      } finally {
        await open.close();
      }
    },
    problem: () => problem,
    status() {
      if (!problem) return { state, problem };
      return {
        state: reportedState({ state: problem.kind === 'retry' ? 'waiting' : 'stopped', problem }),
        problem,
      };
    },
    readLog: async (path) => readLog?.(path),
    async run({ signal = new AbortController().signal, drain = false } = {}) {
      const startedAtMs = performance.now();
      while (!signal.aborted) {
        try {
          await session(signal, drain);
          problem = undefined;
          return true;
        } catch (error) {
          if (signal.aborted) break;
          const { target } = destination;
          const next = ofAccesses(explainProblem(error, { database: 'audit', phase: 'write', target }));
          say(next);
          if (drain && next.code === 'log-in-use') return true;
          failures++;
          const waitMs = next.kind === 'retry' ? retryDelayMs(failures, Math.random()) : refusedRetryMs;
          if (drain && performance.now() + waitMs - startedAtMs > drainPatienceMs) return false;
          await delay(waitMs, undefined, { signal }).catch(() => undefined);
        }
      }
      return true;
    },
  };
}

/** What can be accepted of a source's log can be of this one too, by a flag of the same command. */
function ofAccesses(problem: Problem): Problem {
  const fix = problem.fix.replace('bemi gap accept --reason', 'bemi gap accept --access --reason');
  return { ...problem, fix };
}
