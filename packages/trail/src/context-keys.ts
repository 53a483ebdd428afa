import type pg from 'pg';

/** A key by which an application's contexts are authentic, without the key. */
export interface ContextKey {
  readonly id: string;
  readonly name: string | undefined;
  /** Of the event that made it. */
  readonly sequence: string;
  /** RFC 3339 in UTC, with microseconds. */
  readonly createdAt: string;
  /** From when on it counts no longer, by the time of a transaction's commit. */
  readonly revokedAt: string | undefined;
}

const timeFormat = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** The keys of a log, oldest first. */
export async function readContextKeys(client: pg.ClientBase, log: number): Promise<ContextKey[]> {
  const { rows } = await client.query<{
    id: string;
    name: string | null;
    sequence: string;
    createdAt: string;
    revokedAt: string | null;
  }>(
    `SELECT id, name, sequence::text AS sequence,
            to_char(created_at AT TIME ZONE 'UTC', ${timeFormat}) AS "createdAt",
            to_char(revoked_at AT TIME ZONE 'UTC', ${timeFormat}) AS "revokedAt"
       FROM bemi.context_keys WHERE log = $1 ORDER BY sequence`,
    [log],
  );
  return rows.map(({ name, revokedAt, ...key }) => ({
    ...key,
    name: name ?? undefined,
    revokedAt: revokedAt ?? undefined,
  }));
}

/** A key as it is stored, encrypted. For the writer's eyes only. */
export async function readSealedKey(
  client: pg.ClientBase,
  log: number,
  id: string,
): Promise<Buffer | undefined> {
  const { rows } = await client.query<{ sealed: Buffer }>(
    'SELECT sealed FROM bemi.context_secrets WHERE log = $1 AND id = $2',
    [log, id],
  );
  return rows[0]?.sealed;
}

/** Stores an encrypted key. It counts once the worker has been asked for it, and has said so in the log. */
export async function storeSealedKey(
  client: pg.ClientBase,
  log: number,
  id: string,
  sealed: Buffer,
): Promise<void> {
  await client.query('INSERT INTO bemi.context_secrets (log, id, sealed) VALUES ($1, $2, $3)', [
    log,
    id,
    sealed,
  ]);
}

/**
 * The last characters of the contexts that were recorded lately, a page at a time and in order.
 *
 * @param minutes - of source time before the last transaction's commit.
 * @param length - how many characters.
 */
export async function* recentContextEnds(
  client: pg.ClientBase,
  log: number,
  minutes: number,
  length: number,
): AsyncGenerator<readonly string[], void, void> {
  const { rows: bounds } = await client.query<{ first: string | null }>(
    `SELECT min(t.transaction)::text AS first
       FROM bemi.transaction_log t
      WHERE t.log = $1 AND t.committed_at >= (SELECT l.committed_at - make_interval(mins => $2)
                                                FROM bemi.transaction_log l
                                               WHERE l.log = $1 ORDER BY l.sequence DESC LIMIT 1)`,
    [log, minutes],
  );
  let next = bounds[0]?.first ?? undefined;
  while (next !== undefined) {
    const { rows }: pg.QueryResult<{ sequence: string; end: string | null }> = await client.query(
      `SELECT x.sequence::text AS sequence, right(x.context::text, $3) AS end
         FROM bemi.context_log x WHERE x.log = $1 AND x.sequence >= $2
        ORDER BY x.sequence LIMIT ${endPageSize}`,
      [log, next, length],
    );
    yield rows.flatMap(({ end }) => end ?? []);
    const last = rows.at(-1);
    next = last && rows.length === endPageSize ? String(BigInt(last.sequence) + 1n) : undefined;
  }
}

const endPageSize = 10_000;

/** When the last recorded transaction was committed, as PostgreSQL counts time; `undefined` where there is none. */
export async function lastCommitMicros(client: pg.ClientBase, log: number): Promise<bigint | undefined> {
  const { rows } = await client.query<{ micros: string }>(
    `SELECT ((extract(epoch FROM committed_at - timestamptz '2000-01-01 00:00:00Z')) * 1000000)::numeric(20)::text AS micros
       FROM bemi.transaction_log WHERE log = $1 ORDER BY sequence DESC LIMIT 1`,
    [log],
  );
  return rows[0] && BigInt(rows[0].micros);
}
