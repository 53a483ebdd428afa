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

/** The sequence of the event that a request became, or `undefined` while it waits. */
export async function inboxAnswer(client: pg.ClientBase, id: string): Promise<string | undefined> {
  const { rows } = await client.query<{ sequence: string | null }>(
    'SELECT sequence FROM bemi.inbox WHERE id = $1',
    [id],
  );
  return rows[0]?.sequence ?? undefined;
}

/** Unanswered requests after the given id, oldest first, at most 100. */
export async function openRequests(
  client: pg.ClientBase,
  log: number,
  afterId: string,
): Promise<InboxRequest[]> {
  const { rows } = await client.query<{ id: string; kind: string; actor: string | null; payload: string }>(
    `SELECT id, kind, actor, payload::text AS payload FROM bemi.inbox
      WHERE log = $1 AND sequence IS NULL AND id > $2 ORDER BY id LIMIT 100`,
    [log, afterId],
  );
  return rows.map((row) => ({ ...row, actor: row.actor ?? undefined }));
}
