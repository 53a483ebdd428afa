import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { entryPageSchema, entrySchema } from '../../api/entry.ts';
import { entryQuerySchema } from '../../api/entry-filter.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { askedFor, shown } from '../entry-access.ts';
import { entryJson } from '../entry-json.ts';
import { logFilter, searchPage } from '../entry-search.ts';
import { exactJson } from '../exact-json.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { findLog } from '../log-numbers.ts';
import { scopeOf } from '../scope.ts';

/** The reader's. */
const logParameter = z.object({ log: z.string().max(200) });

/** Changes and DDL of a log: a page of those that a filter names, and one by its sequence. */
export function entriesRoutes(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const list = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/entries',
    tags: ['Entries'],
    summary: 'Search a log',
    description:
      'A page in the order of commit. A filter by values or text looks at the newest entries first for about 300 ms, then says how far it got.',
    request: { params: logParameter, query: entryQuerySchema },
    responses: { 200: json(entryPageSchema, 'A page') },
  });
  app.openapi(list, async (c) => {
    const { limit, order, before, after, values, ...filter } = c.req.valid('query');
    const name = c.req.valid('param').log;
    const { found, position } = await reader.read(async (client) => {
      const { log, nextSequence } = await findLog(client, name);
      const asked = logFilter(filter, await scopeOf(client, log, c.get('principal')));
      const found = await searchPage(client, asked, { log, limit, order, before, after });
      return { found, position: nextSequence };
    });
    const { entries, end, next = null, lookedBackTo = null } = found;
    const asked = askedFor(filter);
    await reader.record({
      what: Object.keys(asked).length > 0 ? 'search' : 'view',
      log: name,
      ...{ ...asked, ...shown(entries), ...askerOf(c) },
    });
    const rest = JSON.stringify({ end, next, lookedBackTo, position });
    return exactJson(
      c,
      `{"entries":[${entries.map((entry) => entryJson(entry, values)).join(',')}],${rest.slice(1)}`,
    );
  });

  const one = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/entries/{sequence}',
    tags: ['Entries'],
    summary: 'One change, or one DDL, by its sequence',
    request: {
      params: logParameter.extend({ sequence: z.string().regex(/^\d{1,18}$/) }),
      query: entryQuerySchema.pick({ values: true }),
    },
    responses: { 200: json(entrySchema, 'The entry') },
  });
  app.openapi(one, async (c) => {
    const { log: name, sequence } = c.req.valid('param');
    const entry = await reader.read(async (client) => {
      const { log } = await findLog(client, name);
      const asked = logFilter({}, await scopeOf(client, log, c.get('principal')));
      const [before, after] = [String(BigInt(sequence) + 1n), String(BigInt(sequence) - 1n)];
      const found = await searchPage(client, asked, { log, limit: 1, before, after });
      return found.entries[0];
    });
    if (!entry)
      throw new ApiProblem(
        404,
        'unknown-entry',
        'No change and no DDL has this sequence, or it is not in your scope',
      );
    await reader.record({ what: 'view', log: name, sequence, ...shown([entry]), ...askerOf(c) });
    return exactJson(c, entryJson(entry, c.req.valid('query').values));
  });
}
