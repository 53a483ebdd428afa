import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  type ReportedSample,
  type ReportedSizes,
  type ReportedState,
  reportHealth,
  thinHealth,
} from '@bemi-db/trail/health/report-health';
import type pg from 'pg';
import type { AccessStatus } from '../access/access-recorder.ts';
import type { WorkerStatus } from '../worker-status.ts';
import type { HealthFacts } from './alerts/alert-rules.ts';
import type { Alert } from './alerts/alert-state.ts';
import { reportedProblem, reportedState } from './reported-state.ts';

export interface HealthReportsOptions {
  /** Name of the log. */
  readonly log: string;
  readonly version: string | undefined;
  /** What a sample is of. */
  readonly sampleMs: number;
  readonly status: WorkerStatus;
}

type Sample = Omit<ReportedSample, 'secondsAgo'> & { readonly endedAtMs: number };

/** While the audit database is away: a day of minutes, some 400 KB. What is older is forgotten. */
const mostSamples = 1_440;
const mostAlerts = 200;
const thinEveryMs = 60 * 60 * 1_000;

/**
 * What a monitor has to say in the audit database, for those who can't ask its process: the worker, a sample of each minute,
 * and alerts. What could not be said is kept and said later. Times are this process's `performance.now()`: no clock is
 * compared with another.
 */
export class HealthReports {
  readonly #options: HealthReportsOptions;
  readonly #instance = randomBytes(8).toString('hex');
  readonly #samples: Sample[] = [];
  readonly #alerts: Alert[] = [];
  #number = 0;
  #sample: OpenSample;
  #last: WorkerStatus;
  #sizes: ReportedSizes;
  #lastLookMs = performance.now();
  #state: ReportedState;
  #stateSinceMs = performance.now();
  /** What was said last, but for samples; empty before the first. */
  #said = '';
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #thinnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: HealthReportsOptions) {
    this.#options = options;
    this.#last = options.status;
    this.#sizes = noSizes;
    this.#state = reportedState(options.status);
    this.#sample = openSample(performance.now(), options.status);
  }

  /** Somebody has looked. */
  observe(facts: HealthFacts): void {
    const nowMs = performance.now();
    const state = reportedState(facts.worker);
    if (state !== this.#state) this.#stateSinceMs = nowMs;
    this.#state = state;
    this.#sizes = sizesOf(facts);
    this.#sample.add(this.#sizes, this.#state === 'recording' ? (nowMs - this.#lastLookMs) / 1000 : 0);
    this.#lastLookMs = nowMs;
    this.#last = facts.worker;
    if (nowMs - this.#sample.startedAtMs >= this.#options.sampleMs) this.#closeSample(nowMs);
  }

  tell(alert: Alert): void {
    this.#alerts.push(alert);
    if (this.#alerts.length > mostAlerts) this.#alerts.shift();
  }

  /** Closes what is open, before the last time that something is said. */
  end(): void {
    this.#closeSample(performance.now());
    this.#said = '';
  }

  /** Says what is to be said: at once what has changed, else once for each sample. */
  async send(
    client: pg.ClientBase,
    firing: readonly Alert[],
    access: AccessStatus | undefined,
  ): Promise<void> {
    const nowMs = performance.now();
    const { problem } = this.#last;
    const said = [this.#state, problem?.code, problem?.message, access?.state, access?.problem?.code].join(
      '\n',
    );
    const isNew = said !== this.#said || this.#alerts.length > 0 || this.#samples.length > 0;
    if (!isNew && nowMs - this.#saidAtMs < this.#options.sampleMs) return;
    const [samples, alerts] = [[...this.#samples], [...this.#alerts]];
    await reportHealth(client, {
      log: this.#options.log,
      instance: this.#instance,
      worker: {
        ...this.#sizes,
        host: hostname(),
        pid: process.pid,
        version: this.#options.version,
        state: this.#state,
        problem: reportedProblem(problem),
        accessState: access?.state,
        accessProblem: reportedProblem(access?.problem),
        startedSecondsAgo: nowMs / 1000,
        stateSecondsAgo: (nowMs - this.#stateSinceMs) / 1000,
      },
      samples: samples.map(({ endedAtMs, ...sample }) => ({
        ...sample,
        secondsAgo: (nowMs - endedAtMs) / 1000,
      })),
      alerts: [...alerts, ...firing],
    });
    this.#samples.splice(0, samples.length);
    this.#alerts.splice(0, alerts.length);
    [this.#said, this.#saidAtMs] = [said, nowMs];
    if (nowMs - this.#thinnedAtMs < thinEveryMs) return;
    this.#thinnedAtMs = nowMs;
    await thinHealth(client);
  }

  /** A standby has nothing to add to what the worker that records says of the same slot. */
  #closeSample(nowMs: number): void {
    const { isEmpty, close } = this.#sample;
    const sample = close(nowMs, this.#number, this.#last);
    this.#sample = openSample(nowMs, this.#last);
    if (isEmpty || (this.#state === 'standby' && sample.recordingSeconds === 0)) return;
    this.#number++;
    this.#samples.push(sample);
    if (this.#samples.length > mostSamples) this.#samples.shift();
  }
}

interface OpenSample {
  readonly startedAtMs: number;
  /** Nobody has looked since it began. */
  readonly isEmpty: boolean;
  add(sizes: ReportedSizes, recordingSeconds: number): void;
  close(nowMs: number, number: number, status: WorkerStatus): Sample;
}

/** @param before - what the worker had done when it began. */
function openSample(startedAtMs: number, before: WorkerStatus): OpenSample {
  let isEmpty = true;
  let recordingSeconds = 0;
  let seen = noSizes;
  return {
    startedAtMs,
    get isEmpty() {
      return isEmpty;
    },
    add(sizes, seconds) {
      isEmpty = false;
      recordingSeconds += seconds;
      seen = {
        lagBytes: most(seen.lagBytes, sizes.lagBytes),
        lagSeconds: most(seen.lagSeconds, sizes.lagSeconds),
        retainedBytes: most(seen.retainedBytes, sizes.retainedBytes),
        safeBytes: least(seen.safeBytes, sizes.safeBytes),
        databaseBytes: most(seen.databaseBytes, sizes.databaseBytes),
      };
    },
    close: (nowMs, number, status) => ({
      ...seen,
      recordingSeconds,
      number,
      endedAtMs: nowMs,
      seconds: (nowMs - startedAtMs) / 1000,
      problem: status.problem?.code,
      changes: status.changes - before.changes,
      transactions: status.transactions - before.transactions,
      quarantined: status.quarantined - before.quarantined,
      auditTransactions: status.auditTransactions - before.auditTransactions,
      auditSeconds: status.auditSeconds - before.auditSeconds,
    }),
  };
}

const noSizes: ReportedSizes = {
  lagBytes: undefined,
  lagSeconds: undefined,
  retainedBytes: undefined,
  safeBytes: undefined,
  databaseBytes: undefined,
};

function sizesOf({ source, audit, lagSeconds }: HealthFacts): ReportedSizes {
  const slot = source?.slot;
  return {
    lagBytes: slot?.lagBytes,
    lagSeconds,
    retainedBytes: slot?.retainedBytes,
    safeBytes: slot?.safeBytes,
    databaseBytes: audit?.databaseBytes,
  };
}

function most(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
