import type pg from 'pg';

/** What somebody does to a log who may do everything in the audit database. */
export type Tampering = 'altered' | 'deleted' | 'cut';

export const tamperings: readonly Tampering[] = ['altered', 'deleted', 'cut'];

/** What was done: statements, as they would be typed. */
export interface Deed {
  readonly what: string;
  readonly statements: readonly string[];
}

interface Victim {
  readonly sequence: string;
  readonly after: string;
}

const cutTransactions = 3;

/**
 * Tampers with a log in the open transaction of a superuser. Triggers don't stop a superuser, and he doesn't want to be
 * seen: he changes what one entry says, takes one out, or cuts the end off.
 *
 * @param before - the victim is below this sequence.
 */
export async function tamper(
  client: pg.ClientBase,
  log: number,
  how: Tampering,
  before: number,
): Promise<Deed | undefined> {
  await client.query('SET LOCAL session_replication_role = replica');
  if (how === 'cut') return await cut(client, log);
  const victim = await findVictim(client, log, before);
  if (!victim) return undefined;
  const { sequence, after } = victim;
  const [text, replaced] = replacement(after);
  if (how === 'deleted' || text === undefined) {
    await client.query('DELETE FROM bemi.change_log WHERE log = $1 AND sequence = $2', [log, sequence]);
    return {
      what: 'takes a change out of the log',
      statements: [`DELETE FROM bemi.change_log WHERE sequence = ${sequence};`],
    };
  }
  await client.query('UPDATE bemi.change_log SET after = $3 WHERE log = $1 AND sequence = $2', [
    log,
    sequence,
    after.replace(text, replaced),
  ]);
  return {
    what: 'changes one word of what was recorded',
    statements: [
      `UPDATE bemi.change_log SET after = replace(after::text, '${sqlText(text)}', '${sqlText(replaced)}')::json WHERE sequence = ${sequence};`,
    ],
  };
}

/** The newest change with a text to replace. */
async function findVictim(client: pg.ClientBase, log: number, before: number): Promise<Victim | undefined> {
  const { rows } = await client.query<Victim>(
    `SELECT sequence, after::text AS after FROM bemi.change_log
      WHERE log = $1 AND sequence < $2 AND operation <> 'TRUNCATE' AND after::text ~ ': ?"[[:alpha:]]{3,}"'
      ORDER BY sequence DESC LIMIT 1`,
    [log, before],
  );
  return rows[0];
}

/** A text of the row, in its quotes, and another one. */
function replacement(after: string): readonly [string | undefined, string] {
  const texts = [...after.matchAll(/: ?("[A-Za-z]{3,}")/g)].map((match) => match[1]!);
  return [texts.find((text) => /^"[A-Z][a-z]+"$/.test(text)) ?? texts[0], '"Nobody"'];
}

/** The newest transactions are gone, and the log's own account of its end with them. */
async function cut(client: pg.ClientBase, log: number): Promise<Deed | undefined> {
  const { rows } = await client.query<{ size: string }>(
    'SELECT transaction AS size FROM bemi.transaction_log WHERE log = $1 ORDER BY sequence DESC OFFSET $2 LIMIT 1',
    [log, cutTransactions - 1],
  );
  const size = rows[0]?.size;
  if (size === undefined) return undefined;
  const tables = ['change_log', 'context_log', 'transaction_log', 'event_log'];
  for (const table of tables)
    await client.query(`DELETE FROM bemi.${table} WHERE log = $1 AND sequence >= $2`, [log, size]);
  await client.query('UPDATE bemi.logs SET next_sequence = $2 WHERE log = $1', [log, size]);
  return {
    what: `cuts the newest ${cutTransactions} transactions off`,
    statements: [
      ...tables.map((table) => `DELETE FROM bemi.${table} WHERE sequence >= ${size};`),
      `UPDATE bemi.logs SET next_sequence = ${size};`,
    ],
  };
}

function sqlText(text: string): string {
  return text.replaceAll("'", "''");
}
