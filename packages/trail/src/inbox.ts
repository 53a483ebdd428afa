import type pg from 'pg';

/** Channel on which the worker hears of new requests; the payload is the log's number. */
export const inboxChannel = 'bemi_inbox';

export interface InboxRequest {
  readonly id: string;
  readonly kind: string;
  readonly actor: string | undefined;
  /** JSON text. */
  readonly payload: string;
}

/** Asks the worker to append an event. Returns the request's id; `inboxAnswer` tells when it is done. */
export async function request(
  client: pg.ClientBase,
  log: number,
  kind: string,
  payload: unknown,
  actor?: string,
): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    'INSERT INTO bemi.inbox (log, kind, actor, payload) VALUES ($1, $2, $3, $4) RETURNING id',
    [log, kind, actor ?? null, JSON.stringify(payload)],
  );
  return rows[0]!.id;
}

/** What became of a request: an event, or nothing. */
export type RequestAnswer = { readonly sequence: string } | { readonly refusal: string };

/** The sequence of the event that a request became, or `undefined` while it waits and where it was refused. */
export async function inboxAnswer(client: pg.ClientBase, id: string): Promise<string | undefined> {
  const answer = await requestAnswer(client, id);
  return answer && 'sequence' in answer ? answer.sequence : undefined;
}

/** What became of a request, or `undefined` while it waits. */
export async function requestAnswer(client: pg.ClientBase, id: string): Promise<RequestAnswer | undefined> {
  const { rows } = await client.query<{ sequence: string | null; refusal: string | null }>(
    'SELECT sequence, refusal FROM bemi.inbox WHERE id = $1',
    [id],
  );
  const { sequence = null, refusal = null } = rows[0] ?? {};
  if (sequence !== null) return { sequence };
  return refusal === null ? undefined : { refusal };
}

/** How many requests are read at once. */
export const requestPage = 100;

/** Unanswered requests after the given id, oldest first, a page at most. */
export async function openRequests(
  client: pg.ClientBase,
  log: number,
  afterId: string,
): Promise<InboxRequest[]> {
  const { rows } = await client.query<{ id: string; kind: string; actor: string | null; payload: string }>(
    `SELECT id, kind, actor, payload::text AS payload FROM bemi.inbox
      WHERE log = $1 AND sequence IS NULL AND answered_at IS NULL AND id > $2 ORDER BY id LIMIT ${requestPage}`,
    [log, afterId],
  );
  return rows.map((row) => ({ ...row, actor: row.actor ?? undefined }));
}

/** Answers a request that becomes no event. */
export async function refuseRequest(
  client: pg.ClientBase,
  log: number,
  id: string,
  refusal: string,
): Promise<void> {
  await client.query('SELECT bemi.refuse($1, $2, $3)', [log, id, refusal]);
}

/** Unanswered requests for another signing key, the newest first, at most 1,000: others can't push one out of sight. */
export async function openKeyRequests(client: pg.ClientBase, log: number): Promise<InboxRequest[]> {
  const { rows } = await client.query<{ id: string; kind: string; actor: string | null; payload: string }>(
    `SELECT id, kind, actor, payload::text AS payload FROM bemi.inbox
      WHERE log = $1 AND sequence IS NULL AND answered_at IS NULL AND kind = 'key' ORDER BY id DESC LIMIT 1000`,
    [log],
  );
  return rows.map((row) => ({ ...row, actor: row.actor ?? undefined }));
}
