import { randomUUID } from 'node:crypto';
import { sequenceOf } from '@bemi-db/trail/query/log-entries';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { entryFilterShape, pageShape } from '../../api/entry-filter.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { askedFor } from '../entry-access.ts';
import { logFilter, searchPage } from '../entry-search.ts';
import { exportFormat, exportNames } from '../export-formats.ts';
import { type DashboardEnvironment, guarded } from '../guarded-route.ts';
import { lastShapes } from '../last-shapes.ts';
import { findLog } from '../log-numbers.ts';
import { scopeOf } from '../scope.ts';

const pageSize = 500;
const pageBudgetMs = 5_000;

/**
 * `GET /api/v1/logs/{log}/export`: everything that a filter names, as a file that is written while it is read. It ends
 * where the log ended when it began. The log of accesses has an entry when it begins and one when it ends, with how much
 * was taken.
 */
export function exportRoute(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const { order, before, after } = pageShape;
  const route = guarded('changes:export', {
    method: 'get',
    path: '/api/v1/logs/{log}/export',
    tags: ['Entries'],
    summary: 'Export what a filter names',
    description:
      'The header `x-bemi-log-size` has the number of the log’s entries, which are numbered from 0: with the sequence of the last line it tells how far the export is.',
    request: {
      params: z.object({ log: z.string().max(200) }),
      query: z.object({
        ...{ ...entryFilterShape, order, before, after },
        format: z.enum(exportNames).default('jsonl').openapi({
          description: '`sql`: statements that make the changes again; ask for `order=oldest-first`',
        }),
      }),
    },
    responses: {
      200: {
        description: 'The file. One that breaks off before its end was not finished: the connection fails',
        content: {
          'text/csv': { schema: z.string() },
          'application/jsonl': { schema: z.string() },
          'application/sql': { schema: z.string() },
        },
      },
    },
  });
  app.openapi(route, async (c) => {
    const { order, before: asked, after, format: name, ...filter } = c.req.valid('query');
    const logName = c.req.valid('param').log;
    const principal = c.get('principal');
    const { log, nextSequence, wanted, tables } = await reader.read(async (client) => {
      const found = await findLog(client, logName);
      const scope = await scopeOf(client, found.log, principal);
      const tables = name === 'sql' ? await lastShapes(client, found.log, scope) : [];
      return { ...found, tables, wanted: logFilter(filter, scope) };
    });
    const format = exportFormat(name, tables);
    const access = {
      what: 'export',
      log: logName,
      id: randomUUID(),
      ...askedFor(filter),
      ...askerOf(c),
    } as const;
    await reader.record({ ...access, part: 'begin', began: new Date() });

    async function* file(): AsyncGenerator<string, void, void> {
      let before = order === 'newest-first' ? smaller(asked, nextSequence) : nextSequence;
      let from = after;
      let isOver = wanted === undefined;
      let changes = 0;
      let bounds: readonly string[] = [];
      try {
        yield format.head;
        while (!isOver) {
          const found = await reader.read(
            (client) =>
              searchPage(client, wanted, {
                log,
                limit: pageSize,
                order,
                before,
                after: from,
                budgetMs: pageBudgetMs,
              }),
            4 * pageBudgetMs,
          );
          yield found.entries.map(format.line).join('');
          changes += found.entries.length;
          const sequences = found.entries.map(sequenceOf);
          bounds = [bounds[0] ?? sequences[0], sequences.at(-1) ?? bounds[1]].filter(
            (each) => each !== undefined,
          );
          isOver = found.end === 'reached' || found.next === undefined;
          if (order === 'newest-first') before = found.next ?? before;
          else from = found.next;
        }
      } finally {
        const [firstSequence, lastSequence] = order === 'newest-first' ? bounds.toReversed() : bounds;
        await reader.record({
          ...{ ...access, part: 'end', ended: new Date(), changes },
          ...(firstSequence === undefined || lastSequence === undefined
            ? {}
            : { firstSequence, lastSequence }),
        });
      }
    }
    // Where reading fails the connection does: a file that merely ended there would look whole.
    return c.body(ReadableStream.from(encoded(file())), 200, {
      'content-type': format.contentType,
      'content-disposition': `attachment; filename="${fileName(logName)}.${name}"`,
      'cache-control': 'no-store',
      // Entries are numbered from 0: by the last one that has come, whoever waits knows how far it is.
      'x-bemi-log-size': nextSequence,
    }) as never;
  });
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, void> {
  const encoder = new TextEncoder();
  for await (const text of texts) if (text !== '') yield encoder.encode(text);
}

function smaller(a: string | undefined, b: string): string {
  return a !== undefined && BigInt(a) < BigInt(b) ? a : b;
}

/** What every system takes as the name of a file. */
function fileName(log: string): string {
  return `bemi-${log.replaceAll(/[^\w.-]+/g, '_')}-${new Date().toISOString().slice(0, 10)}`;
}
