import { accessLogName } from '@bemi-db/trail/access/access-log';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { AccessRecorder } from '../access/access-recorder.ts';
import type { HealthMonitor } from './health-monitor.ts';

type Read = (monitor: HealthMonitor) => number | undefined;

const states = ['starting', 'waiting', 'recording', 'stopping', 'stopped'] as const;

/** What only grows while the process lives. */
const counters: readonly (readonly [string, string, Read])[] = [
  ['bemi_changes_total', 'Changes recorded', (monitor) => monitor.status().changes],
  ['bemi_transactions_total', 'Source transactions recorded', (monitor) => monitor.status().transactions],
  [
    'bemi_quarantined_total',
    'Rows and contexts put into quarantine',
    (monitor) => monitor.status().quarantined,
  ],
  ['bemi_left_out_total', 'Changes that the rules left out', (monitor) => monitor.status().leftOut],
  ['bemi_restarts_total', 'Sessions that ended by a failure', (monitor) => monitor.status().restarts],
  [
    'bemi_audit_transactions_total',
    'Audit transactions committed',
    (monitor) => monitor.status().auditTransactions,
  ],
  ['bemi_audit_seconds_total', 'Time that these took', (monitor) => monitor.status().auditSeconds],
];

const gauges: readonly (readonly [string, string, Read])[] = [
  [
    'bemi_recording',
    '1 while the worker records',
    (monitor) => (monitor.status().state === 'recording' ? 1 : 0),
  ],
  [
    'bemi_slot_active',
    '1 while somebody streams from the slot',
    ({ health }) => flag(health.source?.slot?.isActive),
  ],
  ['bemi_lag_bytes', 'WAL that the slot has not confirmed', ({ health }) => health.source?.slot?.lagBytes],
  ['bemi_lag_seconds', 'For how long the oldest of it has been there', ({ health }) => health.lagSeconds],
  [
    'bemi_retained_wal_bytes',
    'WAL that the source keeps for the slot',
    ({ health }) => health.source?.slot?.retainedBytes,
  ],
  [
    'bemi_retained_wal_growth_bytes_per_second',
    'How fast that grows',
    ({ health }) => health.retainedGrowthPerSecond,
  ],
  [
    'bemi_slot_safe_bytes',
    'WAL that may be written before the slot is in danger',
    ({ health }) => health.source?.slot?.safeBytes,
  ],
  ['bemi_slot_limit_seconds', 'Until then at this pace', ({ health }) => health.secondsUntilLimit],
  ['bemi_quarantine_rows', 'Rows in quarantine', ({ health }) => health.audit?.quarantinedRows],
  ['bemi_quarantine_contexts', 'Contexts in quarantine', ({ health }) => health.audit?.quarantinedContexts],
  [
    'bemi_coverage_losses',
    'Tables and other things that are recorded less than before, and no entry of DDL says why',
    (monitor) => monitor.status().coverageLosses.length,
  ],
  ['bemi_log_entries', 'Entries of the log', ({ health }) => health.audit?.entries],
  [
    'bemi_checkpoint_age_seconds',
    'Since the last checkpoint was signed',
    ({ health }) => health.audit?.checkpointAgeSeconds,
  ],
  ['bemi_audit_database_bytes', 'Size of the audit database', ({ health }) => health.audit?.databaseBytes],
  [
    'bemi_audit_database_growth_bytes_per_second',
    'How fast that grows',
    ({ health }) => health.databaseGrowthPerSecond,
  ],
  [
    'bemi_last_commit_timestamp_seconds',
    'When an audit transaction was last committed',
    (monitor) => seconds(monitor.status().lastCommitAt),
  ],
];

/**
 * Metrics of logs for Prometheus, those that there are when it asks, by the label `log`, with those of the process. What can't be seen now has no
 * sample. The names are an interface: `deploy/prometheus` and `deploy/grafana` use them.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function metricsRegistry(
  monitors: Iterable<HealthMonitor>,
  accesses?: Pick<AccessRecorder, 'status'>,
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const labelNames = ['log'];
  for (const [name, help, read] of counters) {
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const monitor of monitors) this.inc({ log: monitor.name }, read(monitor) ?? 0);
      },
    });
  }
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const monitor of monitors) {
          const value = read(monitor);
          if (value !== undefined) this.set({ log: monitor.name }, value);
        }
      },
    });
  }
  new Gauge({
    name: 'bemi_worker_state',
    help: '1 for the state that the worker is in',
    labelNames: ['log', 'state'],
    registers: [registry],
    collect() {
      this.reset();
      for (const monitor of monitors) {
        const { state } = monitor.status();
        for (const each of states) this.set({ log: monitor.name, state: each }, each === state ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'bemi_access_recording',
    help: '1 while this process records accesses, 0 while something keeps it from that',
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      const state = accesses?.status().state;
      // Before the first access there is nothing to record.
      if (state === undefined || state === 'starting') return;
      this.set({ log: accessLogName }, state === 'recording' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'bemi_alert_firing',
    help: '1 while an alert fires',
    labelNames: ['log', 'alert', 'severity'],
    registers: [registry],
    collect() {
      this.reset();
      for (const monitor of monitors) {
        for (const { id, severity } of monitor.health.alerts) {
          this.set({ log: monitor.name, alert: id, severity }, 1);
        }
      }
    },
  });
  return registry;
}

function flag(value: boolean | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function seconds(time: Date | undefined): number | undefined {
  return time && time.getTime() / 1000;
}
