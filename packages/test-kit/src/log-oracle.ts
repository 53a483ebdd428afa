import type pg from 'pg';

/** Rows of each table as canonical JSON texts with how often each occurs; tables as `schema.name`. */
export type Content = Map<string, Map<string, number>>;

const pageSize = 20_000;

/**
 * Rebuilds every table from the log alone, by `bemi.changes` in the order of the log. Needs REPLICA IDENTITY FULL: a row
 * is known by its whole old state, so tables without a primary key work too.
 *
 * @throws Error when a change does not fit what came before it: something was lost, doubled or reordered.
 */
export async function replayLog(audit: pg.ClientBase): Promise<Content> {
  const content: Content = new Map();
  // One pass in the order of the log: pages by id would sort what is left again and again.
  await audit.query(`BEGIN; DECLARE entries NO SCROLL CURSOR FOR
    SELECT id, schema || '.' || "table" AS table, operation, before::text, after::text FROM bemi.changes ORDER BY id`);
  for (;;) {
    const { rows } = await audit.query<{
      id: string;
      table: string;
      operation: string;
      before: string | null;
      after: string | null;
    }>(`FETCH ${pageSize} FROM entries`);
    for (const { id, table, operation, before, after } of rows) {
      let state = content.get(table);
      if (!state) {
        state = new Map();
        content.set(table, state);
      }
      if (operation === 'TRUNCATE') state.clear();
      if (before !== null) remove(state, before, `${operation} ${id} of ${table}`);
      if (after !== null) state.set(after, (state.get(after) ?? 0) + 1);
    }
    if (rows.length === 0) break;
  }
  await audit.query('COMMIT');
  return content;
}

function remove(state: Map<string, number>, row: string, what: string): void {
  const count = state.get(row);
  if (count === undefined) throw new Error(`${what}: the log holds no such row before it`);
  if (count === 1) state.delete(row);
  else state.set(row, count - 1);
}

/** What the source's tables hold now, in the same form. */
export async function sourceContent(source: pg.ClientBase, tables: readonly string[]): Promise<Content> {
  const content: Content = new Map();
  for (const table of tables) {
    const { rows } = await source.query<{ row: string; count: string }>(
      `SELECT to_jsonb("the row")::text AS row, count(*) AS count FROM ${table} AS "the row" GROUP BY 1`,
    );
    content.set(table, new Map(rows.map(({ row, count }) => [row, Number(count)])));
  }
  return content;
}

/** The first difference between two contents, or `undefined` when they are the same. Empty tables count as absent. */
export function firstDifference(left: Content, right: Content): string | undefined {
  for (const table of new Set([...left.keys(), ...right.keys()])) {
    const a = left.get(table) ?? new Map<string, number>();
    const b = right.get(table) ?? new Map<string, number>();
    for (const row of new Set([...a.keys(), ...b.keys()])) {
      if (a.get(row) !== b.get(row)) {
        return `${table}: ${row} ${a.get(row) ?? 0} times on the left, ${b.get(row) ?? 0} on the right`;
      }
    }
  }
  return undefined;
}

/**
 * Checks what holds of every log: sequences without a gap or a double over all kinds of entries, each transaction's
 * entries between its first and its commit with as many changes as the commit says, no source transaction twice, and
 * coverage without a hole.
 *
 * @throws Error that names the first violation.
 */
export async function verifyLogStructure(
  audit: pg.ClientBase,
): Promise<{ entries: number; transactions: number }> {
  const { rows } = await audit.query<{ problem: string | null; entries: string; transactions: string }>(`
    WITH entries AS (
      SELECT log, sequence FROM bemi.change_log
      UNION ALL SELECT log, sequence FROM bemi.context_log
      UNION ALL SELECT log, sequence FROM bemi.transaction_log
      UNION ALL SELECT log, sequence FROM bemi.event_log
    ), counted AS (
      SELECT log, count(*) AS count, count(DISTINCT sequence) AS distinct_count, min(sequence) AS least, max(sequence) AS most
        FROM entries GROUP BY log
    ), chain AS (
      SELECT *, lag(end_lsn) OVER (PARTITION BY log, generation ORDER BY sequence) AS previous_end FROM bemi.transaction_log
    ), changes AS (
      SELECT log, transaction, count(*) AS count, min(sequence) AS least, max(sequence) AS most
        FROM bemi.change_log GROUP BY log, transaction
    ), problems AS (
      SELECT format('log %s: %s entries, %s distinct, from %s to %s, next is %s', c.log, count, distinct_count, least, most, l.next_sequence) AS problem
        FROM counted c JOIN bemi.logs l USING (log)
       WHERE count <> distinct_count OR least <> 0 OR most <> count - 1 OR l.next_sequence <> count
      UNION ALL
      SELECT format('transaction %s: %s changes from %s to %s, its commit at %s says %s', transaction, c.count, c.least, c.most, t.sequence, t.change_count)
        FROM changes c FULL JOIN bemi.transaction_log t USING (log, transaction)
       WHERE coalesce(c.count, 0) IS DISTINCT FROM t.change_count OR c.least < transaction OR c.most > t.sequence
      UNION ALL
      SELECT format('commit LSN %s is recorded %s times', commit_lsn, count(*)) FROM bemi.transaction_log
       GROUP BY log, generation, commit_lsn HAVING count(*) > 1
      UNION ALL
      SELECT format('transaction %s is covered from %s, the one before it ends at %s', transaction, covered_from_lsn, previous_end)
        FROM chain WHERE covered_from_lsn <> previous_end
    )
    SELECT (SELECT problem FROM problems LIMIT 1) AS problem, (SELECT count(*) FROM entries) AS entries,
           (SELECT count(*) FROM bemi.transaction_log) AS transactions`);
  const row = rows[0]!;
  if (row.problem !== null) throw new Error(row.problem);
  return { entries: Number(row.entries), transactions: Number(row.transactions) };
}

/** How many changes of each table and operation the log holds, as `schema.name OPERATION`. */
export async function countChanges(audit: pg.ClientBase): Promise<Record<string, number>> {
  const { rows } = await audit.query<{ what: string; count: string }>(
    `SELECT schema || '.' || "table" || ' ' || operation AS what, count(*) FROM bemi.changes GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ what, count }) => [what, Number(count)]));
}
