import type pg from 'pg';
import type { StoredFinding } from './stored-finding.ts';

/** What the log's events say of its source, as far as the table `sources` repeats it. */
export interface ExpectedSource {
  systemIdentifier?: unknown;
  database?: unknown;
  completeFromLsn?: unknown;
  generation?: unknown;
  slot?: unknown;
  publication?: unknown;
  timeline?: unknown;
}

/**
 * Compares the row of `sources`, by which the view names the database, with what the log's events say: the `created`
 * event, and what `started`, `lineage` and `gap` events have changed since.
 */
export async function verifySource(
  client: pg.ClientBase,
  log: number,
  expected: ExpectedSource,
): Promise<StoredFinding[]> {
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT system_identifier AS "systemIdentifier", database, complete_from_lsn::text AS "completeFromLsn", generation,
            timeline
       FROM bemi.sources WHERE log = $1`,
    [log],
  );
  // The log of accesses has no source, and says so in its first event.
  if (!rows[0] && expected.systemIdentifier === undefined) return [];
  const row = rows[0] ?? {};
  const findings: StoredFinding[] = [];
  for (const [member, column] of Object.entries(columns)) {
    if (row[member] !== expected[member as keyof ExpectedSource])
      findings.push({ code: 'source-altered', column });
  }
  return findings;
}

const columns = {
  systemIdentifier: 'system_identifier',
  database: 'database',
  completeFromLsn: 'complete_from_lsn',
  generation: 'generation',
  timeline: 'timeline',
} as const;
