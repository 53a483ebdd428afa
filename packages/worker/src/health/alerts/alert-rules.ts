import type { WorkerStatus } from '../../worker-status.ts';
import type { AuditReading, SourceReading } from '../readings.ts';
import { isStandby } from '../reported-state.ts';

/** Everything that alerts are decided by. */
export interface HealthFacts {
  readonly worker: WorkerStatus;
  /** `undefined` while it can't be reached: the worker says so itself. */
  readonly source: SourceReading | undefined;
  readonly audit: AuditReading | undefined;
  readonly lagSeconds: number | undefined;
  readonly retainedGrowthPerSecond: number | undefined;
  readonly secondsUntilLimit: number | undefined;
  /** Rows and contexts that went into quarantine in the last hour. */
  readonly newQuarantined: number | undefined;
}

export interface AlertLimits {
  /** A slot that lags behind by less is healthy. Default 100 KB, as the guide has it. */
  readonly healthyLagBytes: number;
  /** WAL that the server keeps for the slot. Default 10 GB, as the guide has it. */
  readonly retainedWalBytes: number;
}

export const defaultLimits: AlertLimits = { healthyLagBytes: 100 * 1024, retainedWalBytes: 10 * 1024 ** 3 };

export type Severity = 'warning' | 'critical';

/** What a rule finds: the alert's condition holds, holds no longer, or lies between the two, where nothing changes. */
export type Verdict = 'bad' | 'good' | 'between';

export interface AlertRule {
  readonly id: string;
  readonly severity: Severity;
  /** It must be bad for so long before anybody is told, and good for `clearAfterMs` before it counts as over. */
  readonly fireAfterMs: number;
  readonly clearAfterMs: number;
  /** `undefined`: it can't be told now, and nothing changes. */
  judge(
    facts: HealthFacts,
    limits: AlertLimits,
  ): { readonly verdict: Verdict; readonly evidence: string } | undefined;
  /** What to do about it. */
  readonly fix: string;
}

const second = 1_000;
const minute = 60 * second;
/** What has been bad is good again below this share of its limit. */
const clearShare = 0.8;
const alarmingSeconds = 60 * 60;
const oldCheckpointSeconds = 2 * 60 * 60;

/** Bad from a limit on, good below a share of it. */
function above(value: number, limit: number): Verdict {
  if (value >= limit) return 'bad';
  return value < limit * clearShare ? 'good' : 'between';
}

export const alertRules: readonly AlertRule[] = [
  {
    id: 'not-recording',
    severity: 'critical',
    fireAfterMs: 2 * minute,
    clearAfterMs: minute,
    judge: ({ worker }) => {
      if (isStandby(worker)) return { verdict: 'good', evidence: 'another worker records' };
      const { state, problem } = worker;
      return {
        verdict: state === 'recording' ? 'good' : 'bad',
        evidence: problem ? `${problem.message} (${problem.code})` : `the worker is ${state}`,
      };
    },
    fix: 'bemi status says what keeps the worker from recording, and what to do. Changes wait in the slot meanwhile.',
  },
  {
    id: 'refused',
    severity: 'critical',
    fireAfterMs: 0,
    clearAfterMs: minute,
    judge: ({ worker: { state, problem } }) => {
      if (state === 'recording') return { verdict: 'good', evidence: 'the worker records' };
      if (state !== 'stopped' || !problem) return undefined;
      return { verdict: 'bad', evidence: `the worker has stopped: ${problem.message} (${problem.code})` };
    },
    fix: 'bemi status says why, and what to do. It stops where going on would leave a gap, or where no server can cure what is wrong.',
  },
  {
    id: 'slot-lost',
    severity: 'critical',
    fireAfterMs: 0,
    clearAfterMs: minute,
    judge: ({ source, worker, audit }) => {
      if (!source || worker.state === 'starting') return undefined;
      const { slot } = source;
      // Of an empty log nothing is lost: the worker makes the slot, or says why it can't.
      if (!slot && audit?.entries === 0) return undefined;
      if (!slot) return { verdict: 'bad', evidence: 'the replication slot does not exist' };
      return slot.walStatus === 'lost'
        ? { verdict: 'bad', evidence: 'the server has removed WAL that the slot still needed' }
        : { verdict: 'good', evidence: 'the slot is there' };
    },
    fix: 'What was written since can no longer be recorded. bemi gap accept --reason TEXT says so in the log, makes a new slot, and goes on.',
  },
  {
    id: 'lag',
    severity: 'warning',
    fireAfterMs: 5 * minute,
    clearAfterMs: minute,
    judge: ({ source, lagSeconds }, { healthyLagBytes }) => {
      const lagBytes = source?.slot?.lagBytes;
      if (lagBytes === undefined) return undefined;
      const since = lagSeconds ? `, the oldest for ${Math.round(lagSeconds)} s` : '';
      return {
        verdict: above(lagBytes, healthyLagBytes),
        evidence: `${lagBytes} bytes of WAL are not recorded yet${since}`,
      };
    },
    fix: 'Is the worker running and alone (bemi status)? Is the audit database slow? A burst of writes passes by itself.',
  },
  {
    id: 'retained-wal',
    severity: 'critical',
    fireAfterMs: 0,
    clearAfterMs: minute,
    judge: ({ source, retainedGrowthPerSecond }, { retainedWalBytes }) => {
      const bytes = source?.slot?.retainedBytes;
      if (bytes === undefined) return undefined;
      const pace = retainedGrowthPerSecond
        ? `, growing by ${Math.round(retainedGrowthPerSecond)} bytes a second`
        : '';
      return {
        verdict: above(bytes, retainedWalBytes),
        evidence: `the source keeps ${bytes} bytes of WAL for the slot${pace}`,
      };
    },
    fix: 'Start the worker, or find what keeps it from recording (bemi status). Before the disk is full: max_slot_wal_keep_size bounds it, at the price of a gap.',
  },
  {
    id: 'slot-limit-near',
    severity: 'critical',
    fireAfterMs: 0,
    clearAfterMs: minute,
    judge: ({ source, secondsUntilLimit }) => {
      const slot = source?.slot;
      if (!slot || source.keepLimitBytes === undefined) return undefined;
      if (slot.walStatus === 'unreserved') {
        return {
          verdict: 'bad',
          evidence: 'the next checkpoint of the source may remove WAL that the slot needs',
        };
      }
      if (secondsUntilLimit === undefined) return { verdict: 'good', evidence: 'retained WAL does not grow' };
      const verdict = secondsUntilLimit <= alarmingSeconds ? 'bad' : 'good';
      return {
        verdict,
        evidence: `max_slot_wal_keep_size is reached in ${Math.round(secondsUntilLimit)} s at this pace`,
      };
    },
    fix: 'Get the worker to record, or raise max_slot_wal_keep_size on the source and reload: past the limit, changes are lost.',
  },
  {
    id: 'checkpoint-old',
    severity: 'warning',
    fireAfterMs: 0,
    clearAfterMs: 0,
    judge: ({ audit }) => {
      const age = audit?.checkpointAgeSeconds;
      if (age === undefined) return undefined;
      return {
        verdict: age >= oldCheckpointSeconds ? 'bad' : 'good',
        evidence: `the last checkpoint was signed ${Math.round(age)} s ago`,
      };
    },
    fix: 'A worker that records signs one an hour at least, also when nothing is written. Is one running (bemi status)?',
  },
  {
    id: 'quarantine',
    severity: 'warning',
    fireAfterMs: 0,
    clearAfterMs: 0,
    judge: ({ newQuarantined }) => {
      if (newQuarantined === undefined) return undefined;
      return {
        verdict: newQuarantined > 0 ? 'bad' : 'good',
        evidence: `${newQuarantined} rows or contexts went into quarantine within the last hour`,
      };
    },
    fix: 'bemi status shows them by table and reason. They are kept as they were sent, hashed and proven.',
  },
  {
    id: 'coverage-lost',
    severity: 'warning',
    fireAfterMs: 0,
    clearAfterMs: 0,
    judge: ({ worker: { coverageLosses } }) => {
      const [first, ...others] = coverageLosses;
      if (first === undefined)
        return {
          verdict: 'good',
          evidence: 'what was recorded is recorded, or an entry of DDL says why not',
        };
      const more = others.length > 0 ? `, and ${others.length} more` : '';
      return { verdict: 'bad', evidence: `${first}${more}` };
    },
    fix: 'bemi coverage shows what is recorded, and bemi log --operation DDL what was done to tables. No entry says why this is no longer recorded: find out who did it. bemi setup repairs it. Where it is to stay so: bemi attest coverage-review --by NAME --ref WHERE',
  },
];
