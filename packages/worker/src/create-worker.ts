import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ParsedConnection,
  parseConnectionString,
  type SecretConnection,
} from '@bemi-db/source/connection-string';
import type { LogResource } from '@bemi-db/trail/tree/log-resource';
import { AbandonedBackends } from './abandoned-backends.ts';
import { aliveIntervalMs } from './alive.ts';
import { Announcements } from './announcements.ts';
import { parseEncryptionKey } from './authenticity/sealed-key.ts';
import { type LivenessTimings, livenessTimings } from './connection-liveness.ts';
import type { FailpointHook } from './failpoints.ts';
import { acceptGap, type RecordedGap, type Statement } from './gap/accept-gap.ts';
import type { GapAcceptance } from './gap/gap-acceptance.ts';
import { type RecordedSkip, type SkipRequest, skipWal } from './gap/skip-wal.ts';
import { type Logger, silentLogger } from './logger.ts';
import { type OpenSession, openSession, type SessionTargets } from './open-session.ts';
import { explainProblem, type Problem, ProblemError } from './problem.ts';
import { directoryTarget } from './publication/directory-target.ts';
import { type PublicationEnvironment, publicationTargets } from './publication/publication-url.ts';
import { record } from './recording-session.ts';
import { retentionIntervalMs } from './retention/automatic-retention.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { ConfiguredRules } from './rules/judge-rules.ts';
import { newCounters, snapshotOf, type WorkerStatus } from './worker-status.ts';

export interface WorkerOptions {
  /** The source database: its URL, or with a password that may change. */
  readonly source: string | SecretConnection;
  /** The audit database, likewise. */
  readonly destination: string | SecretConnection;
  /** What the source's URL was set with, for messages. Default `BEMI_DATABASE_URL`. */
  readonly sourceSetWith?: string;
  /** The same of the audit database. Default `BEMI_DESTINATION_URL`. */
  readonly destinationSetWith?: string;
  /** Name of the log in the audit database. Default: the source database's name. */
  readonly name?: string;
  /** Default `bemi_slot`. */
  readonly slot?: string;
  /** Default `bemi_publication`. */
  readonly publication?: string;
  /** Changes in an audit transaction before it is committed. Default 1000. */
  readonly bufferSize?: number;
  /** A larger row goes into quarantine. Default 64 MiB. */
  readonly maximumRowBytes?: number;
  /**
   * Where the worker keeps what must not be in the audit database: the key that signs the log, and what it signed last.
   * Default: what BEMI_STATE_DIR names, else `.bemi` in the working directory.
   */
  readonly stateDirectory?: string;
  /** The key, in place of the file `signing-key.pem` there: PKCS#8 PEM, or 32 bytes in base64. */
  readonly signingKey?: string;
  /**
   * 32 bytes in base64 or hexadecimal, by which the keys that make contexts authentic are encrypted in the audit database.
   * Without it, contexts are recorded as unsigned.
   */
  readonly encryptionKey?: string;
  /**
   * Where checkpoints and tiles are published, besides the directory `checkpoints` in the state directory: a directory,
   * s3://, https:// or witness+https://, several with spaces between (docs/publication.md).
   */
  readonly checkpointUrl?: string;
  /** Where the credentials for that come from. Default: the process's environment. */
  readonly publicationEnvironment?: PublicationEnvironment;
  /**
   * What is recorded and redacted, where a configuration file says so: an entry of the log is written when they differ from
   * those in force, and nobody can ask for others. Default: those that the log has.
   */
  readonly rules?: ConfiguredRules;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Between two events of the log that say that the worker was there. Default an hour. */
  readonly aliveIntervalMs?: number;
  /**
   * Days that everything is kept: of a new log, or longer than before. Default 2192 for a new log: six years. What is
   * shorter has no effect: docs/erasure-and-retention.md.
   */
  readonly retentionDays?: number;
  /** Between two looks at what has expired. Default an hour. */
  readonly retentionIntervalMs?: number;
  /**
   * Between two looks at what of the source is recorded, and how; an entry of the log says what has changed. Each look reads
   * the catalog, in about a second for 10,000 tables. Default: it is not looked.
   */
  readonly coverageIntervalMs?: number;
  /** For tests: when a silent connection counts as dead. Default: `livenessTimings`. */
  readonly liveness?: LivenessTimings;
  /** For tests: makes named steps fail. */
  readonly failpoint?: FailpointHook;
}

export interface RunOptions {
  /** Stops the worker: what is finished is committed, then `run` resolves. */
  readonly signal?: AbortSignal;
  /** Record everything up to the source's position now, then resolve. */
  readonly drain?: boolean;
}

export interface Worker {
  /**
   * Records until the signal stops it, or everything is drained. While a side can't be reached it tries again, for
   * ever; with `drain` for 30 s.
   *
   * @throws ProblemError when going on would leave a gap, or no server can cure what is wrong.
   */
  run(options?: RunOptions): Promise<void>;
  /**
   * Accepts that something is missing, where `run` refused to go on: an event of the log says so, and what is recorded
   * from then on belongs to another generation. Records nothing itself.
   *
   * @throws ProblemError when there is no gap, it can't be accepted, or another worker holds the log.
   */
  acceptGap(request: GapRequest): Promise<RecordedGap>;
  /**
   * Passes over WAL that the server can't send, up to a position that `run` has named. An event of the log says so.
   *
   * @throws ProblemError when the position can't be, or another worker holds the log.
   */
  skip(request: SkipRequest): Promise<RecordedSkip>;
  status(): WorkerStatus;
  /** Other rules of the configuration file, for what comes from now on; `undefined` where it names none any more. */
  setRules(rules: ConfiguredRules | undefined): void;
  /**
   * Says something in the log, as a `lifecycle` event: as soon as the worker records, and once at least. It holds no
   * secrets and no row values.
   */
  announce(payload: { readonly event: string; readonly [member: string]: unknown }): void;
  /**
   * What anybody may read of the log: `checkpoint`, `tile/…` and `tile/entries/…` of docs/spec/log.md.
   *
   * @returns undefined for what is not there, or while the worker is not connected.
   */
  readLog(path: string): Promise<LogResource | undefined>;
}

/** Somebody accepts a gap. */
export interface GapRequest extends Statement, GapAcceptance {}

const drainPatienceMs = 30_000;
/** A worker that refuses over and over holds the log for moments only. */
const lockTries = 10;
/** Before this version pgoutput has no option `messages`. */
const firstVersionWithMessages = 140_000;

/**
 * Makes a worker that records the changes of a source database, with their context, exactly once.
 *
 * @throws ConnectionStringError when a URL can't be used, EncryptionKeyError when that key can't.
 * @example
 * const worker = createWorker({ source: process.env.BEMI_DATABASE_URL, destination: process.env.BEMI_DESTINATION_URL });
 * await worker.run({ signal: AbortSignal.timeout(60_000) });
 */
export function createWorker(options: WorkerOptions): Worker {
  const targets = sessionTargets(options);
  const logger = options.logger ?? silentLogger;
  const counters = newCounters();
  const announcements = new Announcements();
  const abandoned = new AbandonedBackends();
  const liveness = options.liveness ?? livenessTimings;

  let configuredRules = options.rules;

  /** One log line for each change of what keeps us waiting, not one for each try. */
  const wait = (problem: Problem): void => {
    if (counters.problem?.code !== problem.code || counters.problem.message !== problem.message) {
      logger.warn({ code: problem.code, fix: problem.fix }, problem.message);
    }
    counters.problem = problem;
    counters.state = 'waiting';
  };

  /** A session for a single act. What is in its way is not waited for. */
  const once = async <T>(
    acceptance: GapAcceptance | undefined,
    act: (session: OpenSession) => Promise<T>,
  ): Promise<T> => {
    let tries = 0;
    const onWaiting = (problem: Problem): void => {
      if (++tries < lockTries) return;
      const fix = 'Stop it first, wherever it runs.';
      throw new ProblemError({ ...problem, fix, kind: 'refuse' });
    };
    const { signal } = new AbortController();
    const session = await openSession({
      targets,
      logger,
      signal,
      onWaiting,
      liveness,
      abandoned,
      ...(acceptance ? { acceptance } : {}),
    });
    try {
      return await act(session);
    } finally {
      await session.close();
    }
  };

  return {
    acceptGap: ({ reason, by, ...acceptance }) =>
      once(acceptance, (session) => acceptGap(session, { reason, by })),
    skip: (request) => once(undefined, (session) => skipWal(session, request)),
    status: () => snapshotOf(counters),
    setRules: (rules) => {
      configuredRules = rules;
    },
    announce: (payload) => announcements.add(payload),
    readLog: async (path) => counters.readLog?.(path),
    async run({ signal = new AbortController().signal, drain = false } = {}) {
      const startedAtMs = performance.now();
      const rejected = new Map<string, string>();
      let failures = 0;
      let interruption: { readonly after: string; readonly since: string } | undefined;
      let hasStarted = false;
      while (!signal.aborted) {
        const lastCommitAt = counters.lastCommitAt;
        try {
          await options.failpoint?.('open:before');
          const session = await openSession({
            targets,
            logger,
            signal,
            onWaiting: wait,
            liveness,
            abandoned,
          });
          try {
            await options.failpoint?.('open:after');
            counters.hasContext = session.snapshot.server.version >= firstVersionWithMessages;
            counters.problem = undefined;
            counters.state = 'recording';
            logger.info(
              {
                log: targets.name,
                slot: targets.slot,
                publication: targets.publication,
                from: session.state.confirmedLsn,
              },
              'Recording',
            );
            if (!hasStarted) announcements.add(startEvent(targets, session.state.confirmedLsn));
            else if (interruption) announcements.add({ event: 'resumed', ...interruption });
            interruption = undefined;
            hasStarted = true;
            await record({
              session,
              targets,
              bufferSize: options.bufferSize ?? 1_000,
              maximumRowBytes: options.maximumRowBytes ?? 64 * 1024 * 1024,
              aliveIntervalMs: options.aliveIntervalMs ?? aliveIntervalMs,
              retentionDays: options.retentionDays,
              retentionIntervalMs: options.retentionIntervalMs ?? retentionIntervalMs,
              coverageIntervalMs: options.coverageIntervalMs,
              liveness,
              isDraining: drain,
              announcements,
              configuredRules: () => configuredRules,
              signal,
              counters,
              rejected,
              logger,
              failpoint: options.failpoint,
            });
            break;
          } finally {
            await session.close();
          }
        } catch (error) {
          if (signal.aborted) break;
          const problem = explainProblem(error, {
            database: 'source',
            phase: 'connect',
            target: targets.source.target,
          });
          if (problem.kind !== 'retry') {
            counters.state = 'stopped';
            counters.problem = problem;
            throw error;
          }
          // What got something recorded was a success: the next try may come soon.
          failures = counters.lastCommitAt === lastCommitAt ? failures + 1 : 1;
          counters.restarts++;
          interruption ??= { after: problem.code, since: new Date().toISOString() };
          wait(problem);
          const waitMs = retryDelayMs(failures, Math.random());
          if (drain && performance.now() + waitMs - startedAtMs > drainPatienceMs) throw error;
          await delay(waitMs, undefined, { signal }).catch(() => undefined);
        }
      }
      counters.state = 'stopped';
    },
  };
}

function sessionTargets(options: WorkerOptions): SessionTargets {
  const source: ParsedConnection = parseConnectionString(
    options.source,
    options.sourceSetWith ?? 'BEMI_DATABASE_URL',
  );
  const directory = options.stateDirectory ?? process.env['BEMI_STATE_DIR'] ?? '.bemi';
  return {
    name: options.name ?? source.target.database,
    source,
    destination: parseConnectionString(
      options.destination,
      options.destinationSetWith ?? 'BEMI_DESTINATION_URL',
    ),
    slot: options.slot ?? 'bemi_slot',
    publication: options.publication ?? 'bemi_publication',
    signing: { directory, key: options.signingKey },
    encryptionKey:
      options.encryptionKey === undefined ? undefined : parseEncryptionKey(options.encryptionKey),
    publicationTargets: [
      directoryTarget(resolve(directory, 'checkpoints')),
      ...publicationTargets(options.checkpointUrl ?? '', options.publicationEnvironment ?? process.env),
    ],
  };
}

function startEvent(targets: SessionTargets, fromLsn: string): object {
  return {
    event: 'started',
    slot: targets.slot,
    publication: targets.publication,
    fromLsn,
    pid: process.pid,
  };
}
