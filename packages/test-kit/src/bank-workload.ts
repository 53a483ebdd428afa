import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Tables like pgbench's, one of them without a primary key, and one that bulk loads fill. */
export const bankTables = ['public.account', 'public.teller', 'public.history', 'public.bulk'];

const accountCount = 500;

export async function createBank(client: pg.ClientBase): Promise<void> {
  await client.query(`
    CREATE TABLE account (id integer PRIMARY KEY, balance bigint NOT NULL, filler text);
    CREATE TABLE teller (id integer PRIMARY KEY, balance bigint NOT NULL);
    CREATE TABLE history (teller_id integer, account_id integer, delta integer, at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE bulk (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text);
    ALTER TABLE account REPLICA IDENTITY FULL;
    ALTER TABLE teller REPLICA IDENTITY FULL;
    ALTER TABLE history REPLICA IDENTITY FULL;
    ALTER TABLE bulk REPLICA IDENTITY FULL;`);
}

/** Fills the tables that transfers need; call it once they are published. */
export async function fillBank(client: pg.ClientBase): Promise<void> {
  await client.query(`
    INSERT INTO account SELECT n, 0, repeat('x', 80) FROM generate_series(1, ${accountCount}) n;
    INSERT INTO teller SELECT n, 0 FROM generate_series(1, 20) n;`);
}

export interface BankRun {
  /** Changes that were committed, as `schema.name OPERATION`. */
  readonly counts: Record<string, number>;
  readonly commits: number;
}

/**
 * Many clients at once, until the signal: transfers as pgbench makes them, with and without context, multi-row inserts
 * and deletes, rollbacks, savepoints that are rolled back, and transactions that write nothing.
 *
 * @param pauseMs - how long each client waits between two transactions.
 */
export async function runBank(
  url: string,
  clientCount: number,
  signal: AbortSignal,
  pauseMs = 0,
): Promise<BankRun> {
  const counts: Record<string, number> = {
    'public.account INSERT': accountCount,
    'public.teller INSERT': 20,
  };
  let commits = 0;
  const count = (what: string, rows: number) => {
    if (rows > 0) counts[what] = (counts[what] ?? 0) + rows;
  };
  const one = async (number: number): Promise<void> => {
    const client = new pg.Client(url);
    client.on('error', () => undefined); // a query fails by it too
    await client.connect();
    try {
      await client.query('SET synchronous_commit = off');
      while (!signal.aborted) {
        const kind = Math.random();
        if (kind < 0.75) {
          await transfer(client, number, kind < 0.05);
          if (kind >= 0.05) {
            count('public.account UPDATE', 1);
            count('public.teller UPDATE', 1);
            count('public.history INSERT', 1);
          }
        } else if (kind < 0.85) {
          const rows = 1 + Math.floor(Math.random() * 200);
          await client.query(
            `INSERT INTO bulk (text) SELECT 'row ' || n FROM generate_series(1, $1::integer) n`,
            [rows],
          );
          count('public.bulk INSERT', rows);
        } else if (kind < 0.92) {
          const { rowCount } = await client.query(
            'DELETE FROM bulk WHERE id IN (SELECT id FROM bulk LIMIT 50 FOR UPDATE SKIP LOCKED)',
          );
          count('public.bulk DELETE', rowCount ?? 0);
        } else if (kind < 0.97) {
          await client.query(`BEGIN; INSERT INTO bulk (text) VALUES ('kept'); SAVEPOINT s;
            INSERT INTO bulk (text) SELECT 'undone' FROM generate_series(1, 5); ROLLBACK TO s; COMMIT`);
          count('public.bulk INSERT', 1);
        } else {
          await client.query(
            `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"nothing":"follows"}'); COMMIT`,
          );
        }
        commits++;
        if (pauseMs > 0) await delay(pauseMs);
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: clientCount }, (_, i) => one(i)));
  return { counts, commits };
}

async function transfer(client: pg.Client, number: number, isRolledBack: boolean): Promise<void> {
  const account = 1 + Math.floor(Math.random() * accountCount);
  const teller = 1 + Math.floor(Math.random() * 20);
  const delta = Math.floor(Math.random() * 10_000) - 5_000;
  await client.query(`BEGIN;
    ${number % 2 === 0 ? `SELECT pg_logical_emit_message(true, '_bemi', '{"client":${number}}');` : ''}
    ${number % 4 === 1 ? `SELECT pg_logical_emit_message(true, '_bemi_actor', '{"session_user":"client ${number}"}');` : ''}
    UPDATE account SET balance = balance + ${delta} WHERE id = ${account};
    UPDATE teller SET balance = balance + ${delta} WHERE id = ${teller};
    INSERT INTO history (teller_id, account_id, delta) VALUES (${teller}, ${account}, ${delta});
    ${isRolledBack ? 'ROLLBACK' : 'COMMIT'}`);
}
