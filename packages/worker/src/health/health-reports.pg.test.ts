import { createDatabase } from '@bemi-db/test-kit/database';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import { seenAlerts } from '@bemi-db/trail/health/read-alerts';
import { seenWorkers } from '@bemi-db/trail/health/read-health';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { setUpRoles, testTrailRoles } from '../../../trail/test/trail-roles.ts';
import { createWorker, type WorkerOptions } from '../create-worker.ts';
import { alertRules } from './alerts/alert-rules.ts';
import { HealthMonitor } from './health-monitor.ts';

const patience = { timeout: 60_000, interval: 50 };
/** The one that does not depend on what others write on the server; a person is not spared. */
const rules = alertRules
  .filter(({ id }) => id === 'not-recording')
  .map((rule) => ({ ...rule, fireAfterMs: 0, clearAfterMs: 0 }));

/** A worker process: what records, and what looks after it when it is told to. */
function process(options: WorkerOptions & { readonly name: string }) {
  const targets = { slot: 'bemi_slot', stateDirectory: newStateDirectory(), ...options };
  const worker = createWorker(targets);
  const [stop, ending] = [new AbortController(), new AbortController()];
  const monitor = new HealthMonitor({
    ...{ ...targets, worker, rules, intervalMs: 3_600_000, version: '1.2.3' },
    sampleMs: 1, // each look ends one
  });
  const recording = worker.run({ signal: stop.signal });
  recording.catch(() => undefined);
  let monitoring: Promise<void> | undefined;
  const end = async (): Promise<void> => {
    stop.abort();
    await recording.catch(() => undefined);
    ending.abort();
    await monitoring;
  };
  onTestFinished(end);
  /** From then on it is looked after. */
  const until = async (state: string, code?: string): Promise<void> => {
    await expect.poll(() => worker.status().state, patience).toBe(state);
    if (code !== undefined) await expect.poll(() => worker.status().problem?.code, patience).toBe(code);
    monitoring ??= monitor.run({ signal: ending.signal });
    await monitor.look();
  };
  return { worker, monitor, end, until };
}

/** Two databases, the audit database with its roles. */
async function setScene() {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE t (id integer PRIMARY KEY)'),
  );
  const roles = testTrailRoles(audit);
  await setUpRoles(audit.url, roles);
  const destination = audit.urlAs(roles.writer, roles.writerPassword);
  const start = (stateDirectory?: string) =>
    process({
      ...{ source: source.url, destination, slot, name: source.name },
      ...(stateDirectory === undefined ? {} : { stateDirectory }),
    });
  return { sql, trail, roles, start, log: source.name };
}

test('samples are written as the writer, and those of an outage of the audit database later', async () => {
  const { sql, trail, roles, start } = await setScene();
  const { worker, monitor, until, end } = start();
  await until('recording');
  const [first] = await seenWorkersAfter(monitor, trail);
  expect(first).toMatchObject({
    state: 'recording',
    problem: null,
    version: '1.2.3',
    pid: globalThis.process.pid,
  });
  await sql.query('INSERT INTO t SELECT generate_series(1, 30)');
  await expect.poll(() => worker.status().changes, patience).toBe(30);
  await monitor.look();

  // What could not be said is kept.
  await trail.query('ALTER FUNCTION bemi.report_health RENAME TO away');
  await monitor.look();
  await trail.query('ALTER FUNCTION bemi.away RENAME TO report_health');
  await monitor.look();

  await trail.query(`ALTER ROLE ${roles.writer} NOLOGIN`);
  await trail.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
    roles.writer,
  ]);
  await until('waiting');
  await sql.query('INSERT INTO t SELECT generate_series(31, 50)');
  for (let i = 0; i < 3; i++) await monitor.look();
  expect(monitor.health.audit).toBeUndefined();
  await trail.query(`ALTER ROLE ${roles.writer} LOGIN`);
  await until('recording');
  await expect.poll(() => worker.status().changes, patience).toBe(50);
  await monitor.look();
  await end();

  const { rows } = await trail.query<{
    number: number;
    changes: number;
    problem: string | null;
    seen: boolean;
  }>(
    `SELECT number::int, changes::int, problem, lag_bytes IS NOT NULL AS seen FROM bemi.health_samples ORDER BY at`,
  );
  expect(rows.map(({ number }) => number)).toEqual(rows.map((_, i) => i));
  expect(rows.reduce((sum, { changes }) => sum + changes, 0)).toBe(50);
  expect(rows.filter(({ problem }) => problem !== null).length).toBeGreaterThanOrEqual(3);
  expect(rows.every(({ seen }) => seen)).toBe(true);
  expect(await seenWorkers(trail)).toMatchObject([{ state: 'stopped', problem: null }]);
});

async function seenWorkersAfter(monitor: HealthMonitor, trail: pg.Client) {
  await monitor.look();
  return await seenWorkers(trail);
}

test('a standby is seen, is no alarm, and takes over', async () => {
  const { trail, start } = await setScene();
  const stateDirectory = newStateDirectory();
  const one = start(stateDirectory);
  await one.until('recording');
  await one.monitor.look();
  const two = start(stateDirectory);
  await two.until('waiting', 'log-in-use');
  const states = async () =>
    (await seenWorkersAfter(two.monitor, trail)).map(({ state }) => state).toSorted();
  expect(await states()).toEqual(['recording', 'standby']);
  expect(two.monitor.health.alerts).toEqual([]);
  await one.end();
  await two.until('recording');
  expect(await states()).toEqual(['recording', 'stopped']);
});

test('alerts have a history: what fires, and what is over', async () => {
  const { sql, trail, start, log } = await setScene();
  const { monitor, until, worker } = start();
  await until('recording');
  await monitor.look();
  const admit = (isAdmitted: boolean) =>
    trail.query(`ALTER DATABASE ${log} ALLOW_CONNECTIONS ${isAdmitted ? 'true' : 'false'}`);
  await admit(false);
  await sql.query(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database() AND active`,
  );
  await expect.poll(() => worker.status().state, patience).not.toBe('recording');
  await monitor.look();
  const firing = () => seenAlerts(trail, { limit: 10, log, isFiring: true });
  expect(await firing()).toMatchObject([
    {
      alert: 'not-recording',
      severity: 'critical',
      clearedAt: null,
      fix: expect.stringContaining('bemi status'),
    },
  ]);
  await admit(true);
  await until('recording');
  await monitor.look();
  expect(await firing()).toEqual([]);
  expect(await seenAlerts(trail, { limit: 10, isFiring: false })).toMatchObject([
    {
      alert: 'not-recording',
      clearedAt: expect.stringMatching(/Z$/),
      clearedEvidence: 'the worker is recording',
    },
  ]);
});

test('where source and audit database are one, what is said of health is no traffic', async () => {
  const database = await createDatabase();
  const sql = await database.connect();
  await sql.query(
    'CREATE TABLE t (id integer PRIMARY KEY); CREATE PUBLICATION bemi_publication FOR ALL TABLES',
  );
  const slot = `${database.name}_slot`;
  const { worker, monitor, until } = process({
    ...{ source: database.url, destination: database.url, slot, name: 'app' },
  });
  await until('recording');
  for (let i = 0; i < 20; i++) await monitor.look();
  await sql.query('INSERT INTO t VALUES (1)');
  await expect.poll(() => worker.status().changes, patience).toBe(1);
  const { rows } = await sql.query(
    `SELECT (SELECT count(*)::int FROM bemi.health_samples) > 20 AS "isSampled",
            (SELECT count(*)::int FROM bemi.transaction_log) AS transactions, (SELECT count(*)::int FROM bemi.change_log) AS changes`,
  );
  expect(rows).toEqual([{ isSampled: true, transactions: 1, changes: 1 }]);
});
