import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { logsSchema, tablesSchema } from '../../api/log.ts';
import type { AuditReader } from '../audit-reader.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { lastShapes } from '../last-shapes.ts';
import { findLog, readLogs } from '../log-numbers.ts';
import { scopeOf } from '../scope.ts';

/** The logs that there are, and the tables of each. */
export function logsRoutes(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const list = guarded('self', {
    method: 'get',
    path: '/api/v1/logs',
    tags: ['Logs'],
    summary: 'The logs of all sources',
    responses: { 200: json(logsSchema, 'By name') },
  });
  app.openapi(list, async (c) => {
    const summaries = await reader.read(readLogs);
    const logs = summaries.map(({ name, database, entryCount, recordingSince, gaps, skips, ...times }) => ({
      ...{ name, database, entryCount, recordingSince, gaps, skips },
      firstCommitAt: times.firstCommitAt ?? null,
      lastCommitAt: times.lastCommitAt ?? null,
      lastEntryAt: times.lastEntryAt ?? null,
    }));
    return c.json({ logs }, 200);
  });

  const tables = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/tables',
    tags: ['Logs'],
    summary: 'The tables that a log has changes of',
    request: { params: z.object({ log: z.string().max(200) }) },
    responses: { 200: json(tablesSchema, 'By schema and name, each at the root of its partitions') },
  });
  app.openapi(tables, async (c) => {
    const found = await reader.read(async (client) => {
      const { log } = await findLog(client, c.req.valid('param').log);
      return await lastShapes(client, log, await scopeOf(client, log, c.get('principal')));
    });
    return c.json({ tables: found }, 200);
  });
}
