import type { StoredFinding } from '@bemi-db/trail/verify/stored-finding';
import type pg from 'pg';

/** Where an entry stands, by what the audit database says now: what was altered may say something wrong. */
export interface EntryPlace {
  readonly kind: 'change' | 'context' | 'commit' | 'event' | 'missing';
  /** Of an event: its kind. Of a change: its operation. */
  readonly what: string | undefined;
  /** `schema.table`, of a change. */
  readonly table: string | undefined;
  /** When the transaction around it committed, or the event happened: ISO 8601 in UTC. */
  readonly at: string | undefined;
}

/** The entry that a finding is about, or `undefined` where it is about none. */
export async function entryPlace(
  client: pg.ClientBase,
  log: number,
  finding: StoredFinding,
): Promise<EntryPlace | undefined> {
  const sequence = sequenceOf(finding);
  if (sequence === undefined) return undefined;
  const { rows } = await client.query<{ [K in keyof EntryPlace]: EntryPlace[K] | null }>(
    `SELECT coalesce(e.kind, 'missing') AS kind, e.what, e."table", to_char(coalesce(e.at,
            (SELECT t.committed_at FROM bemi.transaction_log t WHERE t.log = $1 AND t.sequence >= $2 ORDER BY t.sequence LIMIT 1))
            AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
       FROM (SELECT 1) one LEFT JOIN (
         SELECT 'change' AS kind, c.operation AS what, r.schema_name || '.' || r.table_name AS "table", NULL::timestamptz AS at
           FROM bemi.change_log c LEFT JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
          WHERE c.log = $1 AND c.sequence = $2
         UNION ALL SELECT 'context', NULL, NULL, NULL FROM bemi.context_log WHERE log = $1 AND sequence = $2
         UNION ALL SELECT 'commit', NULL, NULL, committed_at FROM bemi.transaction_log WHERE log = $1 AND sequence = $2
         UNION ALL SELECT 'event', kind, NULL, at FROM bemi.event_log WHERE log = $1 AND sequence = $2
       ) e ON true LIMIT 1`,
    [log, sequence],
  );
  const { kind, what, table, at } = rows[0]!;
  return { kind: kind!, what: what ?? undefined, table: table ?? undefined, at: at ?? undefined };
}

/** The one entry that a finding names. */
function sequenceOf(finding: StoredFinding): number | undefined {
  if (!('sequence' in finding) || finding.code === 'relation-altered') return undefined;
  if ('count' in finding && finding.count > 1) return undefined;
  return finding.sequence;
}
