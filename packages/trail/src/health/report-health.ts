import type pg from 'pg';

/** What a worker is doing, for people. */
export type ReportedState =
  | 'starting'
  /** Another worker records the log; this one takes over when that one ends. */
  | 'standby'
  /** Something keeps it from recording, and it tries again. */
  | 'waiting'
  | 'recording'
  | 'stopping'
  | 'stopped'
  /** It has stopped because going on would leave a gap, or no server can cure what is wrong. */
  | 'refused';

export interface ReportedProblem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** What a worker sees of both sides; `undefined` where it can't. */
export interface ReportedSizes {
  readonly lagBytes: number | undefined;
  readonly lagSeconds: number | undefined;
  readonly retainedBytes: number | undefined;
  readonly safeBytes: number | undefined;
  readonly databaseBytes: number | undefined;
}

/** A worker process, as it tells of itself, and what it has seen last. */
export interface ReportedWorker extends ReportedSizes {
  readonly host: string;
  readonly pid: number;
  readonly version: string | undefined;
  readonly state: ReportedState;
  readonly problem: ReportedProblem | undefined;
  /** Of the process's recorder of accesses; `undefined` where it has none. */
  readonly accessState: ReportedState | undefined;
  readonly accessProblem: ReportedProblem | undefined;
  readonly startedSecondsAgo: number;
  readonly stateSecondsAgo: number;
}

/** A short time of a worker. Sizes are the largest that were seen, of `safeBytes` the least; counts are of this time. */
export interface ReportedSample extends ReportedSizes {
  /** Unique for a worker process, and rising. */
  readonly number: number;
  /** When it ended. */
  readonly secondsAgo: number;
  readonly seconds: number;
  readonly recordingSeconds: number;
  /** Code of what kept it from recording at the end. */
  readonly problem: string | undefined;
  readonly changes: number;
  readonly transactions: number;
  readonly quarantined: number;
  readonly auditTransactions: number;
  readonly auditSeconds: number;
}

export interface ReportedAlert {
  readonly id: string;
  readonly severity: string;
  readonly state: 'firing' | 'cleared';
  readonly evidence: string;
  readonly fix: string;
  /** When it began to fire, ISO 8601. */
  readonly since: string;
  /** When it came to this state. */
  readonly at: string;
}

export interface HealthReport {
  /** The log's name. */
  readonly log: string;
  /** 16 hexadecimal digits, of this process alone. */
  readonly instance: string;
  readonly worker: ReportedWorker;
  readonly samples: readonly ReportedSample[];
  /** Those that changed, in their order, and those that fire. */
  readonly alerts: readonly ReportedAlert[];
}

const timeoutMs = '5000';

/**
 * Says in the audit database how a worker is doing. Neither the log nor its writing waits for it, and a crash of the server may
 * take the last of it along.
 *
 * @param client - in no transaction.
 */
export async function reportHealth(client: pg.ClientBase, report: HealthReport): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(
      `SELECT set_config('statement_timeout', $1, true), set_config('synchronous_commit', 'off', true)`,
      [timeoutMs],
    );
    await client.query('SELECT bemi.report_health($1::json)', [JSON.stringify(report)]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Puts minutes together that are old, and forgets what is older. */
export async function thinHealth(client: pg.ClientBase): Promise<void> {
  await client.query('SELECT bemi.thin_health()');
}
