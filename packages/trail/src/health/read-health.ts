import type pg from 'pg';
import { isoText } from '../query/iso-text.ts';
import type { ReportedProblem, ReportedState } from './report-health.ts';

/** A worker process that records a log, or did. Times are ISO 8601 in UTC. */
export interface SeenWorker {
  readonly log: string;
  readonly instance: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string | null;
  readonly state: ReportedState;
  readonly problem: ReportedProblem | null;
  readonly accessState: ReportedState | null;
  readonly accessProblem: ReportedProblem | null;
  /** As it saw them last; bytes are decimal texts. */
  readonly lagBytes: string | null;
  readonly lagSeconds: number | null;
  readonly retainedBytes: string | null;
  readonly safeBytes: string | null;
  readonly databaseBytes: string | null;
  readonly startedAt: string;
  readonly stateSince: string;
  readonly seenAt: string;
  readonly secondsSinceSeen: number;
}

/** Some time of a log, of all its workers. Sizes are the largest, `null` where nobody saw one; bytes are decimal texts. */
export interface HealthSample {
  /** Where the time begins. */
  readonly at: string;
  readonly recordingSeconds: number;
  readonly problem: string | null;
  readonly lagBytes: string | null;
  readonly lagSeconds: number | null;
  readonly retainedBytes: string | null;
  /** The least. */
  readonly safeBytes: string | null;
  readonly changes: string;
  readonly transactions: string;
  readonly quarantined: string;
  readonly auditTransactions: string;
  readonly auditSeconds: number;
  readonly databaseBytes: string | null;
}

/** Whether the audit database has a place for it: a worker of this version, or `bemi setup --destination`, makes it. */
export async function hasHealth(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('bemi.alert_history') IS NOT NULL AS exists`,
  );
  return rows[0]?.exists ?? false;
}

/** Those of the last day, and the last one of each log; who was seen last first. Only where {@link hasHealth}. */
export async function seenWorkers(client: pg.ClientBase): Promise<SeenWorker[]> {
  const { rows } = await client.query<SeenWorker>(
    `SELECT w.log_name AS log, w.instance, w.host, w.pid, w.version, w.state, w.problem, w.access_state AS "accessState",
            w.access_problem AS "accessProblem", w.lag_bytes::text AS "lagBytes", w.lag_seconds::float8 AS "lagSeconds",
            w.retained_bytes::text AS "retainedBytes", w.safe_bytes::text AS "safeBytes",
            w.database_bytes::text AS "databaseBytes", ${isoText('w.started_at')} AS "startedAt",
            ${isoText('w.state_since')} AS "stateSince", ${isoText('w.seen_at')} AS "seenAt",
            greatest(extract(epoch FROM clock_timestamp() - w.seen_at), 0)::float8 AS "secondsSinceSeen"
       FROM (SELECT *, row_number() OVER (PARTITION BY log_name ORDER BY seen_at DESC, instance) AS place FROM bemi.workers) w
      WHERE w.place = 1 OR w.place <= 50 AND w.seen_at > clock_timestamp() - interval '1 day'
      ORDER BY w.log_name, w.seen_at DESC, w.instance`,
  );
  return rows;
}

const columns = `
  sum(recording_seconds)::float8 AS "recordingSeconds", max(problem) AS problem, max(lag_bytes)::text AS "lagBytes",
  max(lag_seconds)::float8 AS "lagSeconds", max(retained_bytes)::text AS "retainedBytes", min(safe_bytes)::text AS "safeBytes",
  sum(changes)::text AS changes, sum(transactions)::text AS transactions, sum(quarantined)::text AS quarantined,
  sum(audit_transactions)::text AS "auditTransactions", sum(audit_seconds)::float8 AS "auditSeconds",
  max(database_bytes)::text AS "databaseBytes"`;

/** The last sample of each log that is not older than some time. Only where {@link hasHealth}. */
export async function lastSamples(
  client: pg.ClientBase,
  withinSeconds: number,
): Promise<ReadonlyMap<string, HealthSample & { readonly seconds: number }>> {
  const { rows } = await client.query<HealthSample & { log: string; seconds: number }>(
    `SELECT last.log_name AS log, ${isoText('last.at')} AS at, last.seconds::float8 AS seconds, ${columns}
       FROM (SELECT DISTINCT ON (log_name) * FROM bemi.health_samples
              WHERE at > clock_timestamp() - make_interval(secs => $1) ORDER BY log_name, at DESC) last
      GROUP BY last.log_name, last.at, last.seconds`,
    [withinSeconds],
  );
  return new Map(rows.map(({ log, ...sample }) => [log, sample]));
}

/** A log's samples by steps of time, oldest first; a step in which nobody saw anything is not there. */
export async function healthSeries(
  client: pg.ClientBase,
  log: string,
  { since, until, stepSeconds }: { readonly since: Date; readonly until: Date; readonly stepSeconds: number },
): Promise<HealthSample[]> {
  const { rows } = await client.query<HealthSample>(
    `SELECT ${isoText('to_timestamp(step * $4::float8)')} AS at, ${columns}
       FROM (SELECT *, floor(extract(epoch FROM at - make_interval(secs => seconds / 2)) / $4::float8)::float8 AS step FROM bemi.health_samples
              WHERE log_name = $1 AND at >= $2 AND at < $3) s
      GROUP BY step ORDER BY step`,
    [log, since, until, stepSeconds],
  );
  return rows;
}
