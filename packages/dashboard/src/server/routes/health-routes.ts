import { seenAlerts } from '@bemi-db/trail/health/read-alerts';
import {
  hasHealth,
  healthSeries,
  lastSamples,
  type SeenWorker,
  seenWorkers,
} from '@bemi-db/trail/health/read-health';
import { isoText } from '@bemi-db/trail/query/iso-text';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type pg from 'pg';
import {
  alertPageSchema,
  alertQuerySchema,
  type Health,
  type HealthNow,
  healthSchema,
  healthSeriesQuerySchema,
  healthSeriesSchema,
  type LogHealth,
} from '../../api/health.ts';
import { ApiProblem } from '../api-problem.ts';
import type { AuditReader } from '../audit-reader.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { alertFor, problemFor } from '../health-scope.ts';
import { inSteadyOrder, isSilent, judgeAccessRecording, judgeWorkers } from '../judge-workers.ts';
import { findLog, readLogNames } from '../log-numbers.ts';
import type { Principal } from '../principal.ts';

const mostSteps = 1_500;
const mostFiring = 200;
const nowSeconds = 300;
const hourMs = 60 * 60 * 1_000;

/** How the recording is doing. There are no data of anybody in it: looking here is no access. */
export function healthRoutes(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const now = guarded('health:read', {
    method: 'get',
    path: '/api/v1/health',
    tags: ['Health'],
    summary: 'How the recording of each source is doing, and what to do',
    responses: { 200: json(healthSchema, 'By the names of the logs') },
  });
  app.openapi(now, async (c) =>
    c.json(await reader.read((client) => readHealth(client, c.get('principal'))), 200),
  );

  const series = guarded('health:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/health',
    tags: ['Health'],
    summary: 'Lag, retained WAL and throughput of a log over time',
    request: { params: z.object({ log: z.string().max(200) }), query: healthSeriesQuerySchema },
    responses: { 200: json(healthSeriesSchema, 'By steps of time') },
  });
  app.openapi(series, async (c) => {
    const { step, ...asked } = c.req.valid('query');
    const until = asked.until === undefined ? new Date() : new Date(asked.until);
    const since = asked.since === undefined ? new Date(until.getTime() - hourMs) : new Date(asked.since);
    if (until.getTime() - since.getTime() > mostSteps * step * 1_000)
      throw new ApiProblem(400, 'too-many-steps', `More than ${mostSteps} steps`, 'Ask for longer steps.');
    const name = c.req.valid('param').log;
    const samples = await reader.read(async (client) => {
      await findLog(client, name);
      if (!(await hasHealth(client))) return [];
      return await healthSeries(client, name, { since, until, stepSeconds: step });
    });
    return c.json({ since: since.toISOString(), until: until.toISOString(), step, samples }, 200);
  });

  const alerts = guarded('health:read', {
    method: 'get',
    path: '/api/v1/alerts',
    tags: ['Health'],
    summary: 'Alerts that fire, and that fired',
    request: { query: alertQuerySchema },
    responses: { 200: json(alertPageSchema, 'Newest first') },
  });
  app.openapi(alerts, async (c) => {
    const { log, alert, isFiring, before, limit } = c.req.valid('query');
    const found = await reader.read(async (client) =>
      (await hasHealth(client))
        ? await seenAlerts(client, {
            limit,
            ...(log === undefined ? {} : { log }),
            ...(alert === undefined ? {} : { alert }),
            ...(isFiring === undefined ? {} : { isFiring: isFiring === 'true' }),
            ...(before === undefined ? {} : { before }),
          })
        : [],
    );
    const next = found.length === limit ? found.at(-1)!.id : null;
    return c.json({ alerts: found.map((each) => alertFor(c.get('principal'), each)), next }, 200);
  });
}

function nowOf({
  seenAt,
  lagBytes,
  lagSeconds,
  retainedBytes,
  safeBytes,
  databaseBytes,
}: SeenWorker): HealthNow {
  return { at: seenAt, lagBytes, lagSeconds, retainedBytes, safeBytes, databaseBytes };
}

async function readHealth(client: pg.ClientBase, principal: Principal): Promise<Health> {
  const { rows } = await client.query<{ at: string }>(`SELECT ${isoText('clock_timestamp()')} AS at`);
  const recorded = await readLogNames(client);
  const isKnown = await hasHealth(client);
  const workers = isKnown ? await seenWorkers(client) : [];
  const samples = isKnown ? await lastSamples(client, nowSeconds) : new Map();
  const firing = isKnown ? await seenAlerts(client, { limit: mostFiring, isFiring: true }) : [];
  const names = [...new Set([...recorded, ...workers.map(({ log }) => log)])].toSorted();
  const logs = names.map((name): LogHealth => {
    const own = workers.filter(({ log }) => log === name);
    const { state, since, worker } = judgeWorkers(own);
    return {
      ...{ name, isRecorded: recorded.includes(name), state, since },
      problem: problemFor(principal, worker?.problem ?? null),
      now: worker && worker.secondsSinceSeen < nowSeconds ? nowOf(worker) : null,
      lastMinute: samples.get(name) ?? null,
      workers: inSteadyOrder(own).map((each) => ({
        ...{ instance: each.instance, host: each.host, pid: each.pid, version: each.version },
        ...{ state: each.state, isSilent: isSilent(each), problem: problemFor(principal, each.problem) },
        ...{ startedAt: each.startedAt, stateSince: each.stateSince, seenAt: each.seenAt },
      })),
      alerts: firing.filter(({ log }) => log === name).map((alert) => alertFor(principal, alert)),
    };
  });
  const accesses = judgeAccessRecording(workers);
  return {
    at: rows[0]!.at,
    logs,
    accesses: accesses?.accessState
      ? { state: accesses.accessState, problem: problemFor(principal, accesses.accessProblem) }
      : null,
  };
}
