import { TooManyStepsError, UnknownZoneError } from '@bemi-db/trail/activity/activity';
import { countActivity } from '@bemi-db/trail/activity/count-activity';
import type { TableFilter } from '@bemi-db/trail/query/change-filter';
import { tablesNamed } from '@bemi-db/trail/query/table-relations';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type pg from 'pg';
import { type Activity, activityQuerySchema, activitySchema } from '../../api/activity.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { askedFor } from '../entry-access.ts';
import { parseTable } from '../entry-search.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { findLog } from '../log-numbers.ts';
import { type Scope, scopeOf } from '../scope.ts';

/** What happened in a period, counted by table, operation, time and name. */
export function activityRoute(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const activity = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/activity',
    tags: ['Logs'],
    summary: 'Changes over time, by table, operation and who made them',
    description: 'Each count is as many as the entries that a search with the same filter finds.',
    request: { params: z.object({ log: z.string().max(200) }), query: activityQuerySchema },
    responses: { 200: json(activitySchema, 'The counts') },
  });
  app.openapi(activity, async (c) => {
    const { table, step, zone, ...asked } = c.req.valid('query');
    const name = c.req.valid('param').log;
    const [since, until] = [asked.since, asked.until].map((text) =>
      text === undefined ? undefined : new Date(text),
    );
    const found = await reader.read(async (client) => {
      const { log } = await findLog(client, name);
      const scope = await scopeOf(client, log, c.get('principal'));
      const tables = table ? await tablesWithin(client, log, table.map(parseTable), scope) : scope.tables;
      return await countActivity(client, {
        ...{ log, step, zone },
        ...(since ? { since } : {}),
        ...(until ? { until } : {}),
        ...(tables ? { tables } : {}),
      }).catch(asProblem);
    });
    await reader.record({
      what: 'view',
      log: name,
      ...askedFor({ ...asked, table }),
      changes: found.tables.reduce((sum, { changes }) => sum + changes, 0),
      ...askerOf(c),
    });
    const answer: Activity = { ...found, countedTo: found.countedTo ?? null } as Activity;
    return c.json(answer, 200);
  });
}

/** Of the tables that are wanted, those that are in scope, each at its root. */
async function tablesWithin(
  client: pg.ClientBase,
  log: number,
  wanted: readonly TableFilter[],
  scope: Scope,
): Promise<readonly Required<TableFilter>[]> {
  const named: Required<TableFilter>[] = [];
  for (const each of wanted) named.push(...(await tablesNamed(client, log, each)));
  return named.filter(({ schema, name }) => scope.includes(schema, name));
}

function asProblem(error: unknown): never {
  const cause = error;
  if (error instanceof UnknownZoneError)
    throw new ApiProblem(400, 'time-zone', 'There is no such time zone', 'Write one such as Europe/Berlin.', {
      cause,
    });
  if (error instanceof TooManyStepsError)
    throw new ApiProblem(400, 'too-many-steps', 'Those are too many steps', 'Ask for longer steps.', {
      cause,
    });
  throw error;
}
