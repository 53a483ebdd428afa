import type pg from 'pg';
import type { Coverage } from './coverage-document.ts';
import { type CoveragePayload, CoverageReader } from './coverage-entries.ts';

export interface RecordedCoverage {
  readonly coverage: Coverage;
  /** Of the entry since which it is so. */
  readonly since: number;
  readonly sinceTime: Date;
  /** When the log said last that it is so. */
  readonly saidAt: Date;
  /** Entries that changed something since it was last said as a whole. */
  readonly changes: number;
}

/** What a log says last of its coverage. `undefined` without any, and where the entries don't fit together. */
export async function readCoverage(
  client: pg.ClientBase,
  log: number,
): Promise<RecordedCoverage | undefined> {
  const { rows } = await client.query<{ sequence: string; at: Date; payload: CoveragePayload }>(
    `SELECT sequence, at, payload FROM bemi.event_log
      WHERE log = $1 AND kind = 'coverage' AND payload IS NOT NULL
        AND sequence >= (SELECT max(sequence) FROM bemi.event_log
                          WHERE log = $1 AND kind = 'coverage' AND payload ->> 'event' = 'whole' AND payload ->> 'part' = '1')
      ORDER BY sequence`,
    [log],
  );
  const reader = new CoverageReader();
  for (const { sequence, payload } of rows) reader.add(payload, Number(sequence));
  const { coverage, since, changes } = reader;
  const last = rows.at(-1);
  const begun = rows.find(({ sequence }) => Number(sequence) === since);
  return coverage && last && begun && { coverage, since, sinceTime: begun.at, saidAt: last.at, changes };
}
