import type pg from 'pg';
import { Parameters } from '../query/parameters.ts';
import type { AccessedTable, AccessKind } from './access.ts';
import { findAccessLog } from './access-log.ts';
import { type RecordedAccess, recordedAccess } from './recorded-access.ts';

/** Which accesses. All that is given must hold. */
export interface AccessQuery {
  /** A person's id or e-mail address, or the role of the audit database. */
  readonly who?: string;
  readonly what?: readonly AccessKind[];
  readonly table?: AccessedTable;
  /** A record's primary key as a change has it. */
  readonly key?: string;
  /** The log that was looked at. */
  readonly log?: string;
  /** By the audit database's clock: at or after, and before. */
  readonly since?: Date;
  readonly until?: Date;
  /** For the next page: the smallest `entry` of the one before. */
  readonly before?: string;
  readonly limit: number;
}

/**
 * Who looked at what, newest first. Those that still wait for a worker come first of all, without `entry`, and only on the
 * first page.
 */
export async function readAccesses(client: pg.ClientBase, query: AccessQuery): Promise<RecordedAccess[]> {
  const found = await findAccessLog(client);
  if (!found || query.limit < 1) return [];
  const waiting = query.before === undefined ? await waitingAccesses(client, found.log, query) : [];
  const left = query.limit - waiting.length;
  return left < 1 ? waiting : [...waiting, ...(await entriesOf(client, found.log, query, left))];
}

/** Accesses that no worker has recorded yet. */
export interface WaitingAccesses {
  readonly count: number;
  /** When the oldest was asked for: ISO 8601 in UTC. */
  readonly since: string | undefined;
}

/** How many accesses wait for a worker. Only where there is a trail. */
export async function countWaitingAccesses(client: pg.ClientBase): Promise<WaitingAccesses> {
  const found = await findAccessLog(client);
  if (!found) return { count: 0, since: undefined };
  const { rows } = await client.query<{ count: string; since: string | null }>(
    `SELECT count(*), ${isoText('min(requested_at)')} AS since FROM bemi.inbox
      WHERE log = $1 AND kind = 'access' AND sequence IS NULL AND answered_at IS NULL`,
    [found.log],
  );
  return { count: Number(rows[0]!.count), since: rows[0]!.since ?? undefined };
}

async function waitingAccesses(
  client: pg.ClientBase,
  log: number,
  query: AccessQuery,
): Promise<RecordedAccess[]> {
  const parameters = new Parameters();
  const { rows } = await client.query<{ payload: Record<string, unknown> }>(
    `SELECT payload FROM bemi.inbox e
      WHERE log = ${parameters.add(log)} AND kind = 'access' AND sequence IS NULL AND answered_at IS NULL
        ${conditions(query, parameters)}
      ORDER BY id DESC LIMIT ${parameters.add(query.limit)}`,
    parameters.values,
  );
  return rows.map(({ payload }) => recordedAccess(payload, { entry: undefined, recordedAt: undefined }));
}

async function entriesOf(
  client: pg.ClientBase,
  log: number,
  query: AccessQuery,
  limit: number,
): Promise<RecordedAccess[]> {
  const parameters = new Parameters();
  const before = query.before === undefined ? '' : `AND e.sequence < ${parameters.add(query.before)}`;
  const ofLog = `e.log = ${parameters.add(log)}`;
  const matching = `${ofLog} AND e.kind = 'access' ${before} ${conditions(query, parameters)}`;
  const most = parameters.add(limit);
  // Of one person or record there are few, which the planner can't know: it would read the log from its end until the page is
  // full. What they are is asked first then, of the index.
  const isOfFew = query.who !== undefined || query.key !== undefined;
  const { rows } = await client.query<{
    entry: string;
    recordedAt: string;
    payload: Record<string, unknown> | null;
  }>(
    `${isOfFew ? `WITH few AS MATERIALIZED (SELECT e.sequence FROM bemi.event_log e WHERE ${matching})` : ''}
     SELECT e.sequence::text AS entry, ${isoText('e.at')} AS "recordedAt", e.payload
       FROM bemi.event_log e
      WHERE ${isOfFew ? `${ofLog} AND e.sequence = ANY (ARRAY(SELECT sequence FROM few ORDER BY sequence DESC LIMIT ${most}))` : matching}
      ORDER BY e.sequence DESC LIMIT ${most}`,
    parameters.values,
  );
  return rows.map(({ payload, entry, recordedAt }) => recordedAccess(payload, { entry, recordedAt }));
}

/** By containment, where an index serves it: on 'access' entries there is one over the payload. */
function conditions(query: AccessQuery, parameters: Parameters): string {
  const { who, what, table, key, log, since, until } = query;
  const has = (document: object): string =>
    `e.payload::jsonb @> ${parameters.add(JSON.stringify(document))}::jsonb`;
  const terms: string[] = [];
  if (who !== undefined)
    terms.push(`(${[{ by: { id: who } }, { by: { email: who } }, { role: who }].map(has).join(' OR ')})`);
  if (what?.length) terms.push(`(${what.map((each) => has({ what: each })).join(' OR ')})`);
  // A table that was named without its schema may be the one that is meant.
  if (table?.schema !== undefined)
    terms.push(
      `(${has({ tables: [table] })} OR ${has({ tables: [{ table: table.table }] })}
        AND EXISTS (SELECT FROM jsonb_array_elements(e.payload::jsonb -> 'tables') named
                     WHERE named = ${parameters.add(JSON.stringify({ table: table.table }))}::jsonb))`,
    );
  else if (table) terms.push(has({ tables: [table] }));
  if (key !== undefined) terms.push(has({ key }));
  if (log !== undefined) terms.push(has({ log }));
  const at = `(e.payload->>'at')::timestamptz`;
  if (since) terms.push(`${at} >= ${parameters.add(since)}`);
  if (until) terms.push(`${at} < ${parameters.add(until)}`);
  return terms.map((term) => `AND ${term}`).join(' ');
}

function isoText(expression: string): string {
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
