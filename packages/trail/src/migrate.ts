import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';

const folder = new URL('../sql/', import.meta.url);
/** Names our advisory lock; any constant would do. */
const migrationLock = 0x62656d69; // 'bemi'

/** The audit database was migrated by a newer version than this one, which must not write to it. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
}

/** The audit database can't hold every text that a source may send. */
export class AuditEncodingError extends Error {
  override readonly name = 'AuditEncodingError';
}

export interface MigrationResult {
  /** File names of what was applied now, in order; empty when the schema was up to date. */
  readonly applied: readonly string[];
}

/**
 * Brings the schema `bemi` of the audit database up to date. Migrations are numbered files, forward only, each
 * in a transaction of its own; concurrent calls wait for each other.
 *
 * @throws NewerSchemaError when the database knows migrations that this version does not.
 * @throws AuditEncodingError when the database's encoding is not UTF8.
 */
export async function migrate(client: pg.ClientBase): Promise<MigrationResult> {
  const { rows: settings } = await client.query<{ encoding: string }>(
    `SELECT current_setting('server_encoding') AS encoding`,
  );
  if (settings[0]?.encoding !== 'UTF8') {
    throw new AuditEncodingError(
      `the audit database's encoding is ${settings[0]?.encoding}, and must be UTF8`,
    );
  }
  await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
  try {
    return await migrateLocked(client);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [migrationLock]);
  }
}

async function migrateLocked(client: pg.ClientBase): Promise<MigrationResult> {
  const { rows: present } = await client.query(`SELECT to_regclass('bemi.migrations') IS NOT NULL AS yes`);
  if (!present[0].yes) {
    await client.query(
      `CREATE SCHEMA IF NOT EXISTS bemi;
       CREATE TABLE bemi.migrations (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
  }
  const { rows } = await client.query<{ number: number; name: string }>(
    'SELECT number, name FROM bemi.migrations',
  );
  const known = new Set(rows.map((row) => row.number));
  const files = readdirSync(folder)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();
  const newest = Number(files.at(-1)?.slice(0, 4));
  const newer = rows.find((row) => row.number > newest);
  if (newer) {
    throw new NewerSchemaError(
      `the audit database has migration ${newer.name}, which this version does not know`,
    );
  }
  const applied: string[] = [];
  for (const name of files) {
    const number = Number(name.slice(0, 4));
    if (known.has(number)) continue;
    await client.query('BEGIN');
    try {
      await client.query(readFileSync(new URL(name, folder), 'utf8'));
      await client.query('INSERT INTO bemi.migrations (number, name) VALUES ($1, $2)', [number, name]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
    applied.push(name);
  }
  return { applied };
}
