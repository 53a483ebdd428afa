import { hasTrail, type SourceSummary, sourceSummaries } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { ApiProblem } from './api-problem.ts';

/** Every log of a source; none where no worker has recorded anything yet. */
export async function readLogs(client: pg.ClientBase): Promise<SourceSummary[]> {
  return (await hasTrail(client)) ? await sourceSummaries(client) : [];
}

/** The names of these logs, at little cost. */
export async function readLogNames(client: pg.ClientBase): Promise<string[]> {
  if (!(await hasTrail(client))) return [];
  const { rows } = await client.query<{ name: string }>(
    'SELECT l.name FROM bemi.sources JOIN bemi.logs l USING (log) ORDER BY l.name',
  );
  return rows.map(({ name }) => name);
}

/**
 * The number of the log of this name, and where it ends.
 *
 * @throws ApiProblem 404 where there is none.
 */
export async function findLog(
  client: pg.ClientBase,
  name: string,
): Promise<{ readonly log: number; readonly nextSequence: string }> {
  const { rows } = (await hasTrail(client))
    ? await client.query<{ log: number; nextSequence: string }>(
        `SELECT l.log, l.next_sequence::text AS "nextSequence" FROM bemi.logs l JOIN bemi.sources USING (log) WHERE l.name = $1`,
        [name],
      )
    : { rows: [] };
  const [found] = rows;
  if (found) return found;
  throw new ApiProblem(
    404,
    'unknown-log',
    'There is no log of this name',
    'GET /api/v1/logs lists the logs.',
  );
}
