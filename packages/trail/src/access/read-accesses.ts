import type pg from 'pg';
import { isoText } from '../query/iso-text.ts';
import { Parameters } from '../query/parameters.ts';
import type { AccessedTable, AccessKind } from './access.ts';
import { type AccessLog, findAccessLog } from './access-log.ts';
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
  return left < 1 ? waiting : [...waiting, ...(await entriesOf(client, found, query, left))];
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

/** Of the newest entries so many are looked through before an index is asked. */
const newestEntries = 2_000;

/**
 * How many entries match, the planner can't know. It would read the log from its end until the page is full: at once where
 * there are many, and for seconds in a log of millions where there are few. So that is done with the newest entries alone;
 * of all others what matches is asked first, of an index, and then the newest of that are read.
 */
async function entriesOf(
  client: pg.ClientBase,
  { log, nextSequence }: AccessLog,
  query: AccessQuery,
  most: number,
): Promise<RecordedAccess[]> {
  const before = query.before === undefined ? nextSequence : Number(query.before);
  const from = hasConditions(query) ? Math.max(before - newestEntries, 0) : 0;
  const found = await readEntries(client, most, (parameters) => ({
    with: '',
    where: `e.log = ${parameters.add(log)} AND e.kind = 'access' AND e.sequence >= ${parameters.add(from)}
       AND e.sequence < ${parameters.add(before)} ${conditions(query, parameters)}`,
  }));
  const left = most - found.length;
  if (left === 0 || from === 0) return found;
  const older = await readEntries(client, left, (parameters) => {
    const ofLog = `e.log = ${parameters.add(log)}`;
    return {
      with: `WITH matching AS MATERIALIZED (
        SELECT e.sequence FROM bemi.event_log e
         WHERE ${ofLog} AND e.kind = 'access' AND e.sequence < ${parameters.add(from)} ${conditions(query, parameters)})`,
      where: `${ofLog} AND e.sequence = ANY (ARRAY(SELECT sequence FROM matching ORDER BY sequence DESC
        LIMIT ${parameters.add(left)}))`,
    };
  });
  return [...found, ...older];
}

async function readEntries(
  client: pg.ClientBase,
  most: number,
  which: (parameters: Parameters) => { readonly with: string; readonly where: string },
): Promise<RecordedAccess[]> {
  const parameters = new Parameters();
  const clauses = which(parameters);
  const { rows } = await client.query<{
    entry: string;
    recordedAt: string;
    payload: Record<string, unknown> | null;
  }>(
    `${clauses.with}
     SELECT e.sequence::text AS entry, ${isoText('e.at')} AS "recordedAt", e.payload
       FROM bemi.event_log e
      WHERE ${clauses.where}
      ORDER BY e.sequence DESC LIMIT ${parameters.add(most)}`,
    parameters.values,
  );
  return rows.map(({ payload, entry, recordedAt }) => recordedAccess(payload, { entry, recordedAt }));
}

function hasConditions({ who, what, table, key, log, since, until }: AccessQuery): boolean {
  return [who, what, table, key, log, since, until].some((each) => each !== undefined);
}

/** By containment and by the text of the time: of accesses, an index serves each. */
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
  const at = `(e.payload->>'at') COLLATE "C"`;
  if (since) terms.push(`${at} >= ${parameters.add(stampedText(since))}`);
  if (until) terms.push(`${at} < ${parameters.add(stampedText(until))}`);
  return terms.map((term) => `AND ${term}`).join(' ');
}

/** As `bemi.request_access` writes a time: with microseconds, so that texts sort as their times do. */
function stampedText(moment: Date): string {
  return moment.toISOString().replace('Z', '000Z');
}
