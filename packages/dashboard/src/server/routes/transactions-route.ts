import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { transactionSchema } from '../../api/record.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { logFilter, searchPage } from '../entry-search.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { findLog } from '../log-numbers.ts';
import { scopeOf } from '../scope.ts';

interface TransactionRow {
  readonly transaction: string;
  readonly transactionId: string;
  readonly sequence: string;
  readonly committedAt: string;
  readonly recordedAt: string;
  readonly changeCount: string;
  readonly contextCount: number;
  readonly commitPosition: string;
  readonly actor: unknown;
}

/** `GET /api/v1/logs/{log}/transactions/{transaction}`: a transaction itself. Its changes are what `entries` has of it. */
export function transactionsRoute(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const route = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/transactions/{transaction}',
    tags: ['Entries'],
    summary: 'A transaction of the source',
    request: {
      params: z.object({ log: z.string().max(200), transaction: z.string().regex(/^\d{1,18}$/) }),
    },
    responses: { 200: json(transactionSchema, 'The transaction') },
  });
  app.openapi(route, async (c) => {
    const { log: name, transaction } = c.req.valid('param');
    const found = await reader.read(async (client) => {
      const { log } = await findLog(client, name);
      const { rows } = await client.query<TransactionRow>(
        `SELECT t.transaction::text AS transaction, t.xid::text AS "transactionId", t.sequence::text AS sequence,
                ${utc('t.committed_at')} AS "committedAt", ${utc('t.recorded_at')} AS "recordedAt",
                t.change_count::text AS "changeCount", t.context_count AS "contextCount",
                t.commit_lsn::text AS "commitPosition", t.actor
           FROM bemi.transaction_log t WHERE t.log = $1 AND t.transaction = $2::bigint`,
        [log, transaction],
      );
      const [row] = rows;
      if (!row) return undefined;
      // Of a transaction none of whose tables they may read, they learn nothing.
      const wanted = logFilter({}, await scopeOf(client, log, c.get('principal')));
      const bounds = { after: String(BigInt(transaction) - 1n), before: row.sequence };
      const seen = await searchPage(client, wanted, { ...bounds, log, limit: 1 });
      return seen.entries.length > 0 ? row : undefined;
    });
    if (!found)
      throw new ApiProblem(
        404,
        'unknown-transaction',
        'No transaction begins at this sequence, or it is not in your scope',
      );
    await reader.record({
      what: 'view',
      log: name,
      filters: ['transaction'],
      sequence: transaction,
      ...askerOf(c),
    });
    return c.json(found, 200);
  });
}

function utc(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
