import { thinHealth } from '@bemi-db/trail/health/report-health';
import { expect, test } from 'vitest';
import { coverageLost, reportDay } from '../../test/reported-health.ts';
import { admin, serveDashboard } from '../../test/served-dashboard.ts';
import { type AlertPage, alertPageSchema, healthSchema, healthSeriesSchema } from '../api/health.ts';

const serve = () => serveDashboard((client) => client.query('CREATE TABLE patient (id int PRIMARY KEY)'));

test('health, its series and its alerts, as they are declared; names of tables for those who may read them', async () => {
  const { get, log, trail, become } = await serve();
  const read = async (path: string) => {
    const answer = await get(`/api/v1/${path}`);
    expect(answer.status, path).toBe(200);
    return (await answer.json()) as unknown;
  };
  const health = async () => healthSchema.parse(await read('health'));
  // A worker that says nothing of itself.
  expect(await health()).toMatchObject({
    logs: [{ name: log, isRecorded: true, state: 'unseen', workers: [], now: null }],
    accesses: null,
  });

  await reportDay(trail, log, [coverageLost]);
  const { logs, accesses } = await health();
  expect(accesses).toEqual({ state: 'recording', problem: null });
  expect(logs).toMatchObject([
    {
      ...{
        name: log,
        state: 'recording',
        problem: null,
        now: { lagBytes: '3120' },
        lastMinute: { problem: null },
      },
      workers: [
        { state: 'recording' },
        { state: 'standby', host: 'worker-2.clinic.example', isSilent: false },
      ],
      alerts: [{ alert: 'coverage-lost', isFiring: true }],
    },
  ]);

  const day = new Date(Date.now() - 24 * 3_600_000).toISOString();
  const series = healthSeriesSchema.parse(await read(`logs/${log}/health?since=${day}&step=3600`));
  expect(series.samples.length).toBeGreaterThanOrEqual(24);
  expect(series.samples[1]).toMatchObject({ recordingSeconds: 3_600 });
  await thinHealth(trail);

  const first = alertPageSchema.parse(await read('alerts?limit=2'));
  expect(first.alerts.map(({ alert }) => alert)).toEqual(['coverage-lost', 'lag']);
  const second = alertPageSchema.parse(await read(`alerts?limit=2&before=${first.next}`));
  expect(second).toMatchObject({ alerts: [{ alert: 'not-recording', isFiring: false }], next: null });
  const one = async (query: string) => ((await read(`alerts?${query}`)) as AlertPage).alerts.length;
  expect([await one('isFiring=true'), await one('alert=lag'), await one('log=other')]).toEqual([1, 1, 0]);

  expect((await get(`/api/v1/logs/${log}/health?since=2026-01-01T00:00:00Z`)).status).toBe(400);
  expect((await get('/api/v1/logs/nowhere/health')).status).toBe(404);

  become({ ...admin, role: 'auditor', tables: ['public.*'] });
  const scoped = await health();
  expect(JSON.stringify([scoped, await read('alerts')])).not.toContain('hushhush');
  expect(scoped.logs[0]!.alerts).toMatchObject([{ alert: 'coverage-lost', evidence: null }]);
  expect(await read('alerts?alert=lag')).toMatchObject({
    alerts: [{ evidence: expect.stringContaining('1523904 bytes') }],
  });
});

test('an audit database that has no place for it yet', async () => {
  const { get, log, trail } = await serve();
  await trail.query('DROP TABLE bemi.alert_history, bemi.health_samples, bemi.workers');
  expect(await (await get('/api/v1/health')).json()).toMatchObject({
    logs: [{ name: log, state: 'unseen' }],
  });
  expect(await (await get('/api/v1/alerts')).json()).toEqual({ alerts: [], next: null });
  expect(await (await get(`/api/v1/logs/${log}/health`)).json()).toMatchObject({ samples: [] });
});
