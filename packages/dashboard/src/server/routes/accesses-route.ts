import { accessLogName } from '@bemi-db/trail/access/access-log';
import { readAccesses } from '@bemi-db/trail/access/read-accesses';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { accessPageSchema, accessQuerySchema } from '../../api/access.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { parseTable } from '../entry-search.ts';
import { exactJson } from '../exact-json.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { readLogs } from '../log-numbers.ts';
import { inScope } from '../scope.ts';

/** `GET /api/v1/accesses`: who looked at what, newest first. Looking there is an access as well. */
export function accessesRoute(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const route = guarded('accesses:read', {
    method: 'get',
    path: '/api/v1/accesses',
    tags: ['Accesses'],
    summary: 'Who looked at what',
    request: { query: accessQuerySchema },
    responses: {
      200: json(accessPageSchema, 'Newest first; those that wait for a worker before all others'),
    },
  });
  app.openapi(route, async (c) => {
    const { who, what, log, table, primaryKey, since, until, before, limit } = c.req.valid('query');
    const asked = table === undefined ? undefined : parseTable(table);
    const found = await reader.read(async (client) => {
      if ((await readLogs(client)).length === 0) return [];
      return await readAccesses(client, {
        limit,
        ...(who === undefined ? {} : { who }),
        ...(what === undefined ? {} : { what: [what] }),
        ...(log === undefined ? {} : { log }),
        ...(asked
          ? { table: { table: asked.name, ...(asked.schema === undefined ? {} : { schema: asked.schema }) } }
          : {}),
        ...(primaryKey === undefined ? {} : { key: primaryKey }),
        ...(since === undefined ? {} : { since: new Date(since) }),
        ...(until === undefined ? {} : { until: new Date(until) }),
        ...(before === undefined ? {} : { before }),
      });
    });
    await reader.record({
      what: 'view',
      command: 'accesses',
      log: accessLogName,
      changes: found.length,
      ...askerOf(c),
    });
    // An access names tables and a record's key: those that they may not see, they don't see here either.
    const includes = inScope(c.get('principal'));
    const seen = found.filter(({ tables = [] }) =>
      tables.every(({ schema = 'public', table: name }) => includes(schema, name)),
    );
    const last = found.at(-1)?.entry;
    const next = found.length === limit && last !== undefined ? last : null;
    return exactJson(c, JSON.stringify({ accesses: seen, next }));
  });
}
