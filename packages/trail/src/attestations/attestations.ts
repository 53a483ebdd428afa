import type pg from 'pg';

/** What somebody has attested. */
export interface Attestation {
  readonly kind: string;
  readonly by: string;
  readonly ref: string;
  readonly note: string | undefined;
  readonly sequence: string;
  /** When the worker recorded it: ISO 8601 in UTC. */
  readonly at: string;
  /** By the audit database's clock, which also knows the time now. */
  readonly ageSeconds: number;
}

/** The newest attestation of each kind, or all of them; newest first. */
export async function readAttestations(
  client: pg.ClientBase,
  log: number,
  which: 'newest' | 'all',
): Promise<Attestation[]> {
  const { rows } = await client.query<Omit<Attestation, 'note'> & { note: string | null }>(
    `SELECT * FROM (
       SELECT ${which === 'newest' ? `DISTINCT ON (e.payload ->> 'kind')` : ''}
              e.payload ->> 'kind' AS kind, e.payload ->> 'by' AS by, e.payload ->> 'ref' AS ref, e.payload ->> 'note' AS note,
              e.sequence::text AS sequence, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
              extract(epoch FROM clock_timestamp() - e.at)::float8 AS "ageSeconds"
         FROM bemi.event_log e
        WHERE e.log = $1 AND e.kind = 'attestation' AND e.payload IS NOT NULL
        ORDER BY e.payload ->> 'kind', e.sequence DESC) attested
      ORDER BY sequence::bigint DESC`,
    [log],
  );
  return rows.map((row) => ({ ...row, note: row.note ?? undefined }));
}
