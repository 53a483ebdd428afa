import type { SeenAlert } from '@bemi-db/trail/health/read-alerts';
import type { ReportedProblem } from '@bemi-db/trail/health/report-health';
import type { Alert, HealthProblem } from '../api/health.ts';
import type { Principal } from './principal.ts';

/** Their evidence is sizes and times. That of others may name tables. */
const withoutNames: readonly string[] = [
  'lag',
  'retained-wal',
  'slot-limit-near',
  'slot-lost',
  'checkpoint-old',
  'quarantine',
];

/** An alert as somebody may read it: the names of tables are for those who may read all tables. */
export function alertFor({ tables }: Principal, alert: SeenAlert): Alert {
  if (tables === undefined || withoutNames.includes(alert.alert)) return alert;
  return { ...alert, evidence: null, clearedEvidence: null };
}

/** A problem, likewise. */
export function problemFor({ tables }: Principal, problem: ReportedProblem | null): HealthProblem | null {
  if (tables === undefined || problem === null) return problem;
  return { code: problem.code, message: null, fix: null };
}
