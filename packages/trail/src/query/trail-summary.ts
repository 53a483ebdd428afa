import type pg from 'pg';
import { isoText } from './iso-text.ts';

/** What an audit database holds of one source. LSNs and counts are texts, exact; times are ISO 8601 in UTC. */
export interface SourceSummary {
  readonly log: number;
  /** Name of the log: by default the source database's. */
  readonly name: string;
  readonly database: string;
  readonly slot: string;
  readonly publication: string;
  /** The log is complete from this position on … */
  readonly completeFromLsn: string;
  /** … and was begun then. Changes that waited in the slot may be older. */
  readonly recordingSince: string;
  /** When the oldest recorded transaction committed. */
  readonly firstCommitAt: string | undefined;
  readonly confirmedLsn: string;
  /** `gap` events: changes that are missing, and somebody accepted it. */
  readonly gaps: number;
  /** `skip` events: transactions that the source could not send. */
  readonly skips: number;
  /** Changes, contexts, commits and events. */
  readonly entryCount: string;
  /** When the last entry was recorded; `undefined` in an empty log. */
  readonly lastEntryAt: string | undefined;
  /** When the last recorded transaction committed; `undefined` before the first. */
  readonly lastCommitAt: string | undefined;
  /** In quarantine, and not erased. */
  readonly quarantinedRows: string;
  readonly quarantinedContexts: string;
}

/** Whether a worker has ever used this audit database. */
export async function hasTrail(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('bemi.sources') IS NOT NULL AS exists`,
  );
  return rows[0]?.exists ?? false;
}

/** Every source that the audit database has a log of, by name. Only where {@link hasTrail}. */
export async function sourceSummaries(client: pg.ClientBase): Promise<SourceSummary[]> {
  const { rows } = await client.query<NullableSummary>(
    `SELECT s.log, l.name, s.database, s.slot, s.publication,
            s.complete_from_lsn::text AS "completeFromLsn", ${isoText('l.created_at')} AS "recordingSince",
            ${isoText('first.committed_at')} AS "firstCommitAt", s.confirmed_lsn::text AS "confirmedLsn",
            l.next_sequence::text AS "entryCount",
            ${isoText('greatest(last.recorded_at, event.at)')} AS "lastEntryAt",
            ${isoText('last.committed_at')} AS "lastCommitAt",
            explained.gaps, explained.skips, quarantined.rows::text AS "quarantinedRows", quarantined.contexts::text AS "quarantinedContexts"
       FROM bemi.sources s
       JOIN bemi.logs l USING (log)
       LEFT JOIN LATERAL (SELECT t.committed_at FROM bemi.transaction_log t WHERE t.log = s.log
                           ORDER BY t.sequence LIMIT 1) first ON true
       LEFT JOIN LATERAL (SELECT t.committed_at, t.recorded_at FROM bemi.transaction_log t WHERE t.log = s.log
                           ORDER BY t.sequence DESC LIMIT 1) last ON true
       LEFT JOIN LATERAL (SELECT e.at FROM bemi.event_log e WHERE e.log = s.log
                           ORDER BY e.sequence DESC LIMIT 1) event ON true
       LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE e.kind = 'gap')::integer AS gaps,
                                 count(*) FILTER (WHERE e.kind = 'skip')::integer AS skips
                            FROM bemi.event_log e WHERE e.log = s.log AND e.kind IN ('gap', 'skip')) explained ON true
       LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE q.field = 'row') AS rows,
                                 count(*) FILTER (WHERE q.field = 'context') AS contexts
                            FROM bemi.quarantine q WHERE q.log = s.log AND q.part = 0 AND q.bytes IS NOT NULL) quarantined ON true
      ORDER BY l.name`,
  );
  return rows.map((row) => ({
    ...row,
    firstCommitAt: row.firstCommitAt ?? undefined,
    lastEntryAt: row.lastEntryAt ?? undefined,
    lastCommitAt: row.lastCommitAt ?? undefined,
  }));
}

type NullableSummary = {
  [Key in keyof SourceSummary]: undefined extends SourceSummary[Key]
    ? Exclude<SourceSummary[Key], undefined> | null
    : SourceSummary[Key];
};

/** Names of the tables that a log has changes of, as `schema` and `name`, each once. */
export async function recordedTables(
  client: pg.ClientBase,
  log: number,
): Promise<{ readonly schema: string; readonly name: string }[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT DISTINCT root_schema AS schema, root_table AS name FROM bemi.relations WHERE log = $1 ORDER BY 1, 2`,
    [log],
  );
  return rows;
}
