import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { seenAlerts } from './read-alerts.ts';
import { hasHealth, healthSeries, lastSamples, seenWorkers } from './read-health.ts';
import {
  type HealthReport,
  type ReportedAlert,
  type ReportedSample,
  reportHealth,
  thinHealth,
} from './report-health.ts';

const day = 24 * 60 * 60;

function sampleOf(number: number, changed: Partial<ReportedSample> = {}): ReportedSample {
  return {
    ...{ number, secondsAgo: 0, seconds: 60, recordingSeconds: 60, problem: undefined },
    ...{ lagBytes: 100, lagSeconds: 0.5, retainedBytes: 1_000, safeBytes: undefined },
    ...{ changes: 10, transactions: 2, quarantined: 0, auditTransactions: 1, auditSeconds: 0.25 },
    databaseBytes: 2 ** 40 + number,
    ...changed,
  };
}

function reportOf(changed: Partial<HealthReport> = {}): HealthReport {
  return {
    ...{ log: 'clinic', instance: '00112233aabbccdd', samples: [], alerts: [] },
    worker: {
      ...{ host: 'one', pid: 7, version: '1.0.0', state: 'recording', problem: undefined },
      ...{ accessState: 'recording', accessProblem: undefined, lagBytes: 7, lagSeconds: 0.5 },
      ...{ retainedBytes: 2 ** 41, safeBytes: undefined, databaseBytes: 9 },
      ...{ startedSecondsAgo: 3_600, stateSecondsAgo: 60 },
    },
    ...changed,
  };
}

const alert: ReportedAlert = {
  ...{ id: 'lag', severity: 'warning', state: 'firing', evidence: '200000 bytes', fix: 'Look at it.' },
  ...{ since: '2026-01-02T03:04:05.000Z', at: '2026-01-02T03:04:05.000Z' },
};

async function emptyTrail() {
  const client = await (await createDatabase()).connect();
  expect(await hasHealth(client)).toBe(false);
  await migrate(client);
  expect(await hasHealth(client)).toBe(true);
  return client;
}

test('a report that is sent twice counts once; minutes become hours, and what is old goes', async () => {
  const client = await emptyTrail();
  const samples = [
    sampleOf(0, { secondsAgo: 400 * day }),
    ...[1, 2, 3].map((number) => sampleOf(number, { secondsAgo: 9 * day, lagBytes: number })),
    sampleOf(4, { secondsAgo: 0.001, problem: 'refused', recordingSeconds: 20, lagBytes: undefined }),
    sampleOf(5),
  ];
  const over: ReportedAlert = {
    ...alert,
    state: 'cleared',
    evidence: '5 bytes',
    at: '2026-01-02T04:00:00.000Z',
  };
  const report = reportOf({ samples, alerts: [alert, over, { ...alert, id: 'quarantine' }] });
  await reportHealth(client, report);
  await reportHealth(client, report);
  const range = { since: new Date(Date.now() - 500 * day * 1000), until: new Date(Date.now() + 60_000) };
  const series = async () => await healthSeries(client, 'clinic', { ...range, stepSeconds: day });
  const before = await series();
  expect(before.map(({ changes }) => changes)).toEqual(['10', '30', '20']);

  await thinHealth(client);
  await thinHealth(client);
  const after = await series();
  expect(after.map(({ changes }) => changes)).toEqual(['30', '20']);
  expect(after[0]).toMatchObject({
    lagBytes: '3',
    recordingSeconds: 180,
    databaseBytes: String(2 ** 40 + 3),
  });
  const { rows } = await client.query(
    `SELECT instance, seconds FROM bemi.health_samples ORDER BY at LIMIT 1`,
  );
  expect(rows).toEqual([{ instance: '', seconds: 3600 }]);
  const [last] = [...(await lastSamples(client, 300)).values()];
  expect(last).toMatchObject({ lagBytes: '100', safeBytes: null, seconds: 60 });

  const seen = await seenAlerts(client, { limit: 10 });
  expect(seen).toMatchObject([
    { alert: 'quarantine', isFiring: true, clearedAt: null },
    {
      ...{ alert: 'lag', isFiring: false, evidence: '200000 bytes', clearedEvidence: '5 bytes' },
      clearedAt: '2026-01-02T04:00:00.000000Z',
    },
  ]);
  expect(await seenAlerts(client, { limit: 10, before: seen[0]!.id })).toHaveLength(1);
});

test('workers: who fails over and over is one, and the last of a log is kept', async () => {
  const client = await emptyTrail();
  const { worker } = reportOf();
  const problem = { code: 'slot-missing', message: 'The slot is gone', fix: 'bemi gap accept' };
  for (let i = 0; i < 3; i++) {
    const instance = `000000000000000${i}`;
    await reportHealth(client, reportOf({ instance, worker: { ...worker, state: 'refused', problem } }));
  }
  expect(await seenWorkers(client)).toMatchObject([
    { instance: '0000000000000002', state: 'refused', problem },
  ]);
  await reportHealth(client, reportOf({ worker: { ...worker, host: 'two' } }));
  expect(await seenWorkers(client)).toMatchObject([
    { host: 'two', lagBytes: '7', retainedBytes: String(2 ** 41), safeBytes: null },
    { host: 'one' },
  ]);
  await client.query(`UPDATE bemi.workers SET seen_at = seen_at - interval '3 days'`);
  await thinHealth(client);
  expect(await seenWorkers(client)).toMatchObject([{ host: 'two', log: 'clinic' }]);
});

test('what is no report is refused', async () => {
  const client = await emptyTrail();
  const { worker } = reportOf();
  for (const wrong of [
    reportOf({ log: '' }),
    reportOf({ log: 'x'.repeat(201) }),
    reportOf({ instance: "'; DROP TABLE" }),
    reportOf({ worker: { ...worker, state: 'happy' as 'recording' } }),
    reportOf({ alerts: [{ ...alert, evidence: 'x'.repeat(1_000_000) }] }),
    {} as HealthReport,
  ]) {
    await expect(reportHealth(client, wrong)).rejects.toMatchObject({ code: 'BM003' });
  }
  expect(await seenWorkers(client)).toEqual([]);
});
