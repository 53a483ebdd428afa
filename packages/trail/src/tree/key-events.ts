import type pg from 'pg';

/** What the newest `key` event of a log says. */
export interface CurrentKey {
  readonly sequence: number;
  /** Base64 of 32 bytes. */
  readonly publicKey: string;
}

/** The key that signs a log by its own events; `undefined` where it has no such event. */
export async function currentKey(client: pg.ClientBase, log: number): Promise<CurrentKey | undefined> {
  const { rows } = await client.query<{ sequence: string; publicKey: string | null }>(
    `SELECT sequence, payload->>'publicKey' AS "publicKey" FROM bemi.event_log
      WHERE log = $1 AND kind = 'key' ORDER BY sequence DESC LIMIT 1`,
    [log],
  );
  const row = rows[0];
  return row?.publicKey == null ? undefined : { sequence: Number(row.sequence), publicKey: row.publicKey };
}

/** Every key that the log's events name, 32 bytes each. */
export async function pastKeys(client: pg.ClientBase, log: number): Promise<Uint8Array[]> {
  const { rows } = await client.query<{ publicKey: string | null }>(
    `SELECT payload->>'publicKey' AS "publicKey" FROM bemi.event_log WHERE log = $1 AND kind = 'key' ORDER BY sequence`,
    [log],
  );
  return rows
    .map(({ publicKey }) => Buffer.from(publicKey ?? '', 'base64'))
    .filter((key) => key.length === keyBytes);
}

const keyBytes = 32;
