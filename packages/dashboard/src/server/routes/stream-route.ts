import { randomUUID } from 'node:crypto';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { entryFilterShape, pageShape } from '../../api/entry-filter.ts';
import { isPermitted } from '../../api/permission.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { askedFor } from '../entry-access.ts';
import { entryJson } from '../entry-json.ts';
import { logFilter, searchPage } from '../entry-search.ts';
import { type DashboardEnvironment, guarded } from '../guarded-route.ts';
import { findLog } from '../log-numbers.ts';
import type { LogTail } from '../log-tail.ts';
import type { Authenticate, Principal } from '../principal.ts';
import { scopeOf } from '../scope.ts';

const pageSize = 200;
/** Proxies end connections on which nothing is said for a minute. */
const heartbeatMs = 15_000;

/**
 * `GET /api/v1/logs/{log}/stream`: each entry as it is recorded, in the log's order, from any sequence on. An entry is read
 * only below the log's end, which moves in the same commit as the entries: none is skipped, and each has its sequence as
 * the event's id, from which a browser goes on by itself after a lost connection.
 */
export function streamRoute(
  app: OpenAPIHono<DashboardEnvironment>,
  { reader, tail, authenticate }: { reader: AuditReader; tail: LogTail; authenticate: Authenticate },
): void {
  const { values, after } = pageShape;
  const route = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/stream',
    tags: ['Entries'],
    summary: 'Entries as they are recorded, as server-sent events',
    description:
      'Events `entry`, with the sequence as id, and `position`, whose id says how far the log has been looked through. Without `after` and Last-Event-ID it begins with what is recorded next.',
    request: {
      params: z.object({ log: z.string().max(200) }),
      query: z.object({ ...entryFilterShape, values, after }),
      headers: z.object({ 'last-event-id': z.string().optional() }),
    },
    responses: {
      200: { description: 'The events', content: { 'text/event-stream': { schema: z.string() } } },
    },
  });
  app.openapi(route, async (c) => {
    const { values: form, after: asked, ...filter } = c.req.valid('query');
    const name = c.req.valid('param').log;
    const resumed = c.req.valid('header')['last-event-id'];
    if (resumed !== undefined && !/^\d{1,18}$/.test(resumed))
      throw new ApiProblem(400, 'last-event-id', 'Last-Event-ID is not a sequence of ours');
    const { log, nextSequence } = await reader.read((client) => findLog(client, name));
    let after = resumed ?? asked ?? previous(nextSequence);
    let principal = c.get('principal');

    const access = { what: 'live', log: name, id: randomUUID(), ...askedFor(filter), ...askerOf(c) } as const;
    await reader.record({ ...access, part: 'begin', began: new Date() });
    let changes = 0;

    return streamSSE(c, async (stream) => {
      try {
        await send(stream);
      } finally {
        await reader.record({ ...access, part: 'end', ended: new Date(), changes });
      }
    }) as never;

    async function send(stream: SSEStreamingApi): Promise<void> {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const said = { atMs: 0, position: '' };
      while (!gone.signal.aborted) {
        // A key that was revoked meanwhile, or a role that was taken away, ends the stream.
        const still = await authenticate(c.req.raw);
        if (!still || !isPermitted(still.role, 'changes:read')) return;
        principal = still;
        const { found, end } = await reader.read((client) => readOn(client, principal));
        changes += found.entries.length;
        for (const entry of found.entries) {
          const json = entryJson(entry, form);
          const id = entry.kind === 'change' ? entry.change.sequence : entry.ddl.sequence;
          await stream.writeSSE({ event: 'entry', id, data: json });
        }
        after = found.end === 'reached' ? larger(after, previous(end)) : (found.next ?? after);
        const isIdle = found.entries.length === 0;
        if (after !== said.position && (!isIdle || Date.now() - said.atMs > 1_000)) {
          await stream.writeSSE({ event: 'position', id: after, data: '' });
          Object.assign(said, { atMs: Date.now(), position: after });
        }
        if (found.end !== 'reached') continue;
        const heardMs = Date.now();
        await tail.grown(log, String(BigInt(after) + 1n), heartbeatMs, gone.signal);
        if (Date.now() - heardMs >= heartbeatMs) await stream.write(': still here\n\n');
      }
    }

    async function readOn(client: Parameters<typeof findLog>[0], who: Principal) {
      const { nextSequence: end } = await findLog(client, name);
      const wanted = logFilter(filter, await scopeOf(client, log, who));
      const page = { log, after, limit: pageSize, order: 'oldest-first' } as const;
      return { found: await searchPage(client, wanted, page), end };
    }
  });
}

function previous(sequence: string): string {
  const before = BigInt(sequence) - 1n;
  return before < 0n ? '0' : String(before);
}

function larger(a: string, b: string): string {
  return BigInt(a) > BigInt(b) ? a : b;
}
