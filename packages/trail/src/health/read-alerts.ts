import type pg from 'pg';
import { isoText } from '../query/iso-text.ts';

/** An alert that fires, or fired. Times are ISO 8601 in UTC, of the worker that told of it. */
export interface SeenAlert {
  /** Rising with when it was told. */
  readonly id: string;
  readonly log: string;
  readonly alert: string;
  readonly severity: string;
  readonly evidence: string;
  readonly fix: string;
  readonly host: string;
  readonly since: string;
  /** When a worker last said that it fires. */
  readonly seenAt: string;
  /** Whether it fired when the log's last worker was last seen. */
  readonly isFiring: boolean;
  /** `null` while it fires, and where whoever told of it was not seen again. */
  readonly clearedAt: string | null;
  readonly clearedEvidence: string | null;
}

export interface AlertQuery {
  readonly limit: number;
  readonly log?: string;
  readonly alert?: string;
  readonly isFiring?: boolean;
  /** Ids below this one. */
  readonly before?: string;
}

/** Workers tell of what fires once a minute. */
const firingSeconds = 150;

/** Newest first. Only where `hasHealth`. */
export async function seenAlerts(
  client: pg.ClientBase,
  { limit, log, alert, isFiring, before }: AlertQuery,
): Promise<SeenAlert[]> {
  const { rows } = await client.query<SeenAlert>(
    `SELECT * FROM (
       SELECT h.id::text AS id, h.log_name AS log, h.alert, h.severity, h.evidence, h.fix, h.host,
              ${isoText('h.since')} AS since, ${isoText('h.seen_at')} AS "seenAt", ${isoText('h.cleared_at')} AS "clearedAt",
              h.cleared_evidence AS "clearedEvidence",
              h.cleared_at IS NULL AND h.seen_at > (SELECT max(w.seen_at) FROM bemi.workers w WHERE w.log_name = h.log_name)
                - make_interval(secs => $1) AS "isFiring"
         FROM bemi.alert_history h
        WHERE ($3::text IS NULL OR h.log_name = $3) AND ($4::text IS NULL OR h.alert = $4)
          AND ($6::bigint IS NULL OR h.id < $6) AND ($5::boolean IS NOT TRUE OR h.cleared_at IS NULL)
        ORDER BY h.id DESC) alerts
      WHERE $5::boolean IS NULL OR "isFiring" = $5
      LIMIT $2`,
    [firingSeconds, limit, log ?? null, alert ?? null, isFiring ?? null, before ?? null],
  );
  return rows;
}
