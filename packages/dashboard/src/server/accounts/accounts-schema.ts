import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import { type AccountsDatabase, openAccountsDatabase } from './accounts-database.ts';

const folder = new URL('../../../sql/', import.meta.url);
/** Names our advisory lock; any constant would do. */
const accountsLock = 0x62656d61; // 'bema'

const fixes = {
  'not-allowed':
    'As an administrator of that database: CREATE SCHEMA bemi_accounts AUTHORIZATION role; or set BEMI_ACCOUNTS_URL to connect as the role that owns it (docs/dashboard-accounts.md).',
  newer: 'Run the version of Bemi that made it, or a newer one.',
} as const;

/** The schema of accounts can't be made or brought up to date, and why. */
export class AccountsSchemaError extends Error {
  override readonly name = 'AccountsSchemaError';
  readonly reason: 'not-allowed' | 'newer';
  readonly fix: string;

  constructor(reason: AccountsSchemaError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.fix = fixes[reason];
  }
}

/**
 * Brings the schema `bemi_accounts` up to date, by numbered files, forward only, in one transaction. Concurrent calls wait
 * for each other. Where nothing is missing, it only reads.
 *
 * @returns names of the files that were applied now.
 * @throws AccountsSchemaError
 */
export async function migrateAccounts(client: pg.ClientBase): Promise<readonly string[]> {
  if ((await pendingMigrations(client)).length === 0) return [];
  await client.query('BEGIN');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [accountsLock]);
    // Again: whoever held the lock may have done it.
    const pending = await pendingMigrations(client);
    if (pending.length > 0) await prepareSchema(client);
    for (const name of pending) {
      await client.query(readFileSync(new URL(name, folder), 'utf8'));
      await client.query('INSERT INTO bemi_accounts.migrations (number, name) VALUES ($1, $2)', [
        numberOf(name),
        name,
      ]);
    }
    await client.query('COMMIT');
    return pending;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Opens the accounts, with their schema brought up to date.
 *
 * @throws AccountsSchemaError where the role may not make or change it.
 */
export async function openAccounts(config: pg.ClientConfig): Promise<AccountsDatabase> {
  const database = openAccountsDatabase(config);
  try {
    const client = await database.pool.connect();
    try {
      await migrateAccounts(client);
    } finally {
      client.release();
    }
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function prepareSchema(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ hasSchema: boolean; mayCreate: boolean; role: string }>(
    `SELECT to_regnamespace('bemi_accounts') IS NOT NULL AS "hasSchema", current_user::text AS role,
            CASE WHEN to_regnamespace('bemi_accounts') IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                 ELSE has_schema_privilege(to_regnamespace('bemi_accounts'), 'CREATE') END AS "mayCreate"`,
  );
  const { hasSchema, mayCreate, role } = rows[0]!;
  if (!mayCreate) {
    const what = hasSchema ? 'change the schema bemi_accounts' : 'make the schema bemi_accounts';
    throw new AccountsSchemaError('not-allowed', `The role ${role} may not ${what}`);
  }
  if (!hasSchema) await client.query('CREATE SCHEMA bemi_accounts');
  await client.query(
    'CREATE TABLE IF NOT EXISTS bemi_accounts.migrations (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
}

/**
 * The files that were not applied, in their order; all of them where there is no schema yet. Only reads.
 *
 * @throws AccountsSchemaError where the role may not see that, or the schema is of a newer version.
 */
export async function pendingMigrations(client: pg.ClientBase): Promise<readonly string[]> {
  const files = readdirSync(folder)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();
  // From the catalog's tables, not by to_regclass: that may answer by what it knew before this transaction waited.
  const { rows: found } = await client.query<{ isThere: boolean; isReadable: boolean; role: string }>(
    `SELECT c.oid IS NOT NULL AS "isThere", current_user::text AS role,
            has_schema_privilege(n.oid, 'USAGE') AND coalesce(has_table_privilege(c.oid, 'SELECT'), true) AS "isReadable"
       FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'migrations'
      WHERE n.nspname = 'bemi_accounts'`,
  );
  const [schema] = found;
  if (schema && !schema.isReadable) {
    throw new AccountsSchemaError(
      'not-allowed',
      `The role ${schema.role} may not use the schema bemi_accounts`,
    );
  }
  if (!schema?.isThere) return files;
  const { rows } = await client.query<{ number: number; name: string }>(
    'SELECT number, name FROM bemi_accounts.migrations ORDER BY number',
  );
  const newest = numberOf(files.at(-1)!);
  const newer = rows.find(({ number }) => number > newest);
  if (newer) {
    throw new AccountsSchemaError(
      'newer',
      `The accounts have migration ${newer.name}, which this version does not know`,
    );
  }
  const applied = new Set(rows.map(({ number }) => number));
  return files.filter((name) => !applied.has(numberOf(name)));
}

export function isFirstMigration(file: string): boolean {
  return numberOf(file) === 1;
}

function numberOf(file: string): number {
  return Number(file.slice(0, 4));
}
