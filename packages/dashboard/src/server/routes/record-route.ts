import { recordState } from '@bemi-db/trail/query/record-state';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { entryFilterShape, pageShape } from '../../api/entry-filter.ts';
import { recordStateSchema } from '../../api/record.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { parseTable } from '../entry-search.ts';
import { exactJson } from '../exact-json.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { findLog } from '../log-numbers.ts';
import { scopeOf, withinScope } from '../scope.ts';

/** `GET /api/v1/logs/{log}/record`: a record as it was at a moment. Its life is what `entries` says of its key. */
export function recordRoute(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const route = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/record',
    tags: ['Records'],
    summary: 'A record as it was at a moment',
    request: {
      params: z.object({ log: z.string().max(200) }),
      query: z.object({
        table: z.string().min(1).max(200).openapi({ example: 'public.Patient' }),
        primaryKey: z.string().max(4000).openapi({ example: '42' }),
        at: entryFilterShape.since.openapi({ description: 'As it was then; without it, as it is now' }),
        sequence: pageShape.before.openapi({ description: 'As it was after this entry' }),
        values: pageShape.values,
      }),
    },
    responses: { 200: json(recordStateSchema, 'The record, or that it is not known') },
  });
  app.openapi(route, async (c) => {
    const { table, primaryKey, at, sequence, values } = c.req.valid('query');
    const name = c.req.valid('param').log;
    const asked = parseTable(table);
    const found = await reader.read(async (client) => {
      const { log } = await findLog(client, name);
      const [allowed] = withinScope(await scopeOf(client, log, c.get('principal')), [asked]) ?? [asked];
      if (!allowed)
        throw new ApiProblem(404, 'unknown-table', 'There is no such table, or it is not in your scope');
      const moment = {
        ...(at === undefined ? {} : { at: new Date(at) }),
        ...(sequence === undefined ? {} : { sequence }),
      };
      return await recordState(client, { log, table: allowed, primaryKey, ...moment });
    });
    const { schema, name: tableName } = asked;
    await reader.record({
      ...{ what: 'view', log: name, key: primaryKey, changes: found.change ? 1 : 0, ...askerOf(c) },
      tables: [{ table: tableName, ...(schema === undefined ? {} : { schema }) }],
    });
    const { state, missing, change, previous = null, next = null } = found;
    const row = found.row === undefined ? 'null' : values === 'text' ? JSON.stringify(found.row) : found.row;
    const rest = {
      missing,
      sequence: change?.sequence ?? null,
      timestamp: change?.timestamp ?? null,
      previous,
      next,
    };
    return exactJson(c, `{"state":"${state}","row":${row},${JSON.stringify(rest).slice(1)}`);
  });
}
