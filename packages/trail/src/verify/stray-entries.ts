import type pg from 'pg';
import type { StoredFinding } from './stored-finding.ts';

/** Rows with sequences that the log does not have: before its beginning, or behind its end, which a worker moves. */
export async function strayEntries(client: pg.ClientBase, log: number): Promise<StoredFinding[]> {
  const findings: StoredFinding[] = [];
  for (const where of ['sequence < 0', 'sequence >= (SELECT next_sequence FROM bemi.logs WHERE log = $1)']) {
    const { rows } = await client.query<{ first: string | null; count: string }>(
      `SELECT min(sequence) AS first, count(*) AS count FROM (
         ${['change_log', 'context_log', 'transaction_log', 'event_log']
           .map((table) => `SELECT sequence FROM bemi.${table} WHERE log = $1 AND ${where}`)
           .join(' UNION ALL ')}) stray`,
      [log],
    );
    const { first, count } = rows[0]!;
    if (first !== null) findings.push({ code: 'inserted', sequence: Number(first), count: Number(count) });
  }
  return findings;
}

/** Full tiles that the log can't have: of levels that there are none of, or of entries behind its end. */
export async function strayTiles(client: pg.ClientBase, log: number): Promise<StoredFinding[]> {
  const { rows } = await client.query<{ level: number; index: string }>(
    `SELECT level, index FROM bemi.tiles
      WHERE log = $1 AND (level NOT BETWEEN 0 AND 6 OR index < 0
                          OR (index + 1) * (256::numeric ^ (level + 1)) > (SELECT next_sequence FROM bemi.logs WHERE log = $1))
      ORDER BY level, index LIMIT 100`,
    [log],
  );
  return rows.map(({ level, index }) => ({ code: 'tile-altered', level, index: Number(index) }));
}
