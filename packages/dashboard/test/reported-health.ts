import { type ReportedAlert, type ReportedSample, reportHealth } from '@bemi-db/trail/health/report-health';
import type pg from 'pg';

const minute = 60;
const hour = 60 * minute;

/** A day of an invented worker: few writes at night, a burst in the morning, which the log was behind of for a while. */
function sampleAt(number: number, secondsAgo: number): ReportedSample {
  const day = 0.5 - 0.5 * Math.cos((2 * Math.PI * (secondsAgo / hour - 4)) / 24);
  const burst = Math.exp(-(((secondsAgo - 6 * hour) / (25 * minute)) ** 2));
  const changes = Math.round(300 + 2_500 * (1 - day) + 9_000 * burst + 200 * Math.sin(number * 1.7));
  return {
    ...{ number, secondsAgo, seconds: 5 * minute, recordingSeconds: 5 * minute, problem: undefined },
    lagBytes: Math.round(3_000 + 900 * (1 + Math.sin(number)) + 2_400_000 * burst),
    lagSeconds: 0.4 + 40 * burst,
    retainedBytes: Math.round(17_000_000 + 4_000_000 * (number % 12) + 60_000_000 * burst),
    ...{ safeBytes: undefined, changes, transactions: Math.round(changes / 3), quarantined: 0 },
    ...{ auditTransactions: 300, auditSeconds: 2.4, databaseBytes: Math.round(8.4e9 - secondsAgo * 900) },
  };
}

const host = (name: string, version = '0.1.0') => ({ host: name, pid: 7, version });

/**
 * What a day leaves in the audit database: a worker that records, another one that waits, and alerts.
 *
 * @param firing - fires still.
 */
export async function reportDay(
  trail: pg.ClientBase,
  log: string,
  firing: readonly ReportedAlert[] = [],
): Promise<void> {
  const fired = (secondsAgo: number, alert: Omit<ReportedAlert, 'state' | 'since' | 'at'>): ReportedAlert => {
    const since = new Date(Date.now() - secondsAgo * 1_000).toISOString();
    return { ...alert, state: 'firing', since, at: since };
  };
  const over = (alert: ReportedAlert, afterSeconds: number, evidence: string): ReportedAlert => {
    const at = new Date(Date.parse(alert.since) + afterSeconds * 1_000).toISOString();
    return { ...alert, state: 'cleared', evidence, at };
  };
  const lag = fired(6.2 * hour, {
    ...{
      id: 'lag',
      severity: 'warning',
      evidence: '1523904 bytes of WAL are not recorded yet, the oldest for 31 s',
    },
    fix: 'Is the worker running and alone (bemi status)? Is the audit database slow? A burst of writes passes by itself.',
  });
  const away = fired(26 * hour, {
    ...{ id: 'not-recording', severity: 'critical' },
    evidence: 'The audit database can’t be reached (unreachable)',
    fix: 'bemi status says what keeps the worker from recording, and what to do. Changes wait in the slot meanwhile.',
  });
  const none = {
    ...{ problem: undefined, accessProblem: undefined, lagBytes: 3_120, lagSeconds: 0.4 },
    ...{ retainedBytes: 41_000_000, safeBytes: undefined, databaseBytes: 8_400_000_000 },
  };
  await reportHealth(trail, {
    ...{ log, instance: '00000000000000b2', samples: [], alerts: [] },
    worker: {
      ...{ ...host('worker-2.clinic.example'), ...none, state: 'standby', accessState: 'standby' },
      ...{ startedSecondsAgo: 40 * hour, stateSecondsAgo: 40 * hour },
    },
  });
  await reportHealth(trail, {
    ...{ log, instance: '00000000000000a1' },
    worker: {
      ...{ ...host('worker-1.clinic.example'), ...none, state: 'recording', accessState: 'recording' },
      ...{ startedSecondsAgo: 41 * hour, stateSecondsAgo: 25.9 * hour },
    },
    samples: Array.from({ length: 288 }, (_, i) => sampleAt(i, (287 - i) * 5 * minute)),
    alerts: [
      ...[away, over(away, 7 * minute, 'the worker is recording')],
      ...[lag, over(lag, 26 * minute, '3120 bytes of WAL are not recorded yet'), ...firing],
    ],
  });
}

/** One that names a table. */
export const coverageLost: ReportedAlert = {
  ...{ id: 'coverage-lost', severity: 'warning', state: 'firing' },
  evidence: 'The table staff.hushhush_salary is no longer in the publication',
  fix: 'bemi coverage shows what is recorded. bemi setup repairs it.',
  ...{ since: '2026-01-02T03:04:05.000Z', at: '2026-01-02T03:04:05.000Z' },
};
