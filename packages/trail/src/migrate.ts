import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';

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

/** The schema is missing or old, and this role may not change it. */
export class SchemaNotCurrentError extends Error {
  override readonly name = 'SchemaNotCurrentError';
}

/** A numbered file. */
export interface Migration {
  readonly number: number;
  /** Of the file, such as `0001_log.sql`. */
  readonly name: string;
  readonly sql: string;
}

export interface SchemaState {
  /** Whose the tables of the schema `bemi` are, or will be; `undefined` where there is no schema. */
  readonly owner: string | undefined;
  /** Whether the role that asks may act as that owner, or make the schema where there is none. */
  readonly mayMigrate: boolean;
  /** What is missing, in order. */
  readonly pending: readonly Migration[];
}

export interface MigrationResult {
  /** File names of what was applied now, in order; empty when the schema was up to date. */
  readonly applied: readonly string[];
}

/**
 * Brings the schema `bemi` of the audit database up to date. Migrations are numbered files, forward only, each
 * in a transaction of its own, as the schema's owner; concurrent calls wait for each other. Where nothing is missing,
 * any role will do that may read.
 *
 * @throws NewerSchemaError when the database knows migrations that this version does not.
 * @throws AuditEncodingError when the database's encoding is not UTF8.
 * @throws SchemaNotCurrentError when something is missing, and the role may not make it.
 */
export async function migrate(client: pg.ClientBase): Promise<MigrationResult> {
  if ((await readSchema(client)).pending.length === 0) return { applied: [] };
  await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
  try {
    return await migrateLocked(client);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [migrationLock]);
  }
}

/** Whoever uses the tables meanwhile, as dashboards do, may lock them in another order: then it is tried again. */
async function apply(client: pg.ClientBase, migration: Migration, owner: string | undefined): Promise<void> {
  for (let left = deadlockRetries; ; left--) {
    try {
      await client.query(migrationScript(migration, owner));
      return;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      if (left === 0 || !(error instanceof pg.DatabaseError) || error.code !== sqlStateDeadlock) throw error;
    }
  }
}

const deadlockRetries = 5;
const sqlStateDeadlock = '40P01';

async function migrateLocked(client: pg.ClientBase): Promise<MigrationResult> {
  // Again: whoever held the lock may have done it.
  const { owner, mayMigrate, pending } = await readSchema(client);
  if (pending.length === 0) return { applied: [] };
  if (!mayMigrate) {
    const what = owner === undefined ? 'has no schema bemi' : `lacks migration ${pending[0]?.name}`;
    throw new SchemaNotCurrentError(`the audit database ${what}, and this role may not make it`);
  }
  for (const migration of pending) await apply(client, migration, owner);
  return { applied: pending.map(({ name }) => name) };
}

/**
 * What {@link migrate} runs for a migration, and `bemi setup --dry-run` prints.
 *
 * @param owner - of the schema: what the migration makes is its own. Makes the schema where it is `undefined`.
 */
export function migrationScript({ number, name, sql }: Migration, owner: string | undefined): string {
  return [
    'BEGIN;',
    owner === undefined ? 'CREATE SCHEMA IF NOT EXISTS bemi;' : `SET LOCAL ROLE ${quoted(owner)};`,
    ...(number === 1 ? [migrationsTable] : []),
    sql,
    `INSERT INTO bemi.migrations (number, name) VALUES (${number}, '${name}');`,
    'COMMIT;',
  ].join('\n');
}

const migrationsTable =
  'CREATE TABLE IF NOT EXISTS bemi.migrations (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());';

/** How the schema is, and what it lacks. Reads only, as any role. */
export async function readSchema(client: pg.ClientBase): Promise<SchemaState> {
  const membership = await settableMembership(client);
  const { rows } = await client.query<{
    encoding: string;
    owner: string | null;
    mayMigrate: boolean;
    isReadable: boolean | null;
  }>(
    `SELECT current_setting('server_encoding') AS encoding,
            CASE WHEN m.oid IS NOT NULL THEN pg_get_userbyid(m.relowner)
                 -- Somebody made the schema for this role.
                 WHEN NOT pg_has_role(n.nspowner, ${membership}) AND has_schema_privilege(n.oid, 'CREATE') THEN current_user
                 WHEN n.oid IS NOT NULL THEN pg_get_userbyid(n.nspowner) END::text AS owner,
            CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
                 WHEN m.oid IS NULL THEN pg_has_role(n.nspowner, ${membership}) OR has_schema_privilege(n.oid, 'CREATE')
                 ELSE pg_has_role(m.relowner, ${membership}) END AS "mayMigrate",
            has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(m.oid, 'SELECT') AS "isReadable"
       FROM (SELECT) one
       LEFT JOIN pg_namespace n ON n.nspname = 'bemi'
       LEFT JOIN pg_class m ON m.relnamespace = n.oid AND m.relname = 'migrations'`,
  );
  const { encoding, owner, mayMigrate, isReadable } = rows[0]!;
  if (encoding !== 'UTF8') {
    throw new AuditEncodingError(`the audit database's encoding is ${encoding}, and must be UTF8`);
  }
  if (isReadable === false && !mayMigrate) {
    throw new SchemaNotCurrentError('this role may not read the schema bemi of the audit database');
  }
  const applied = isReadable === null ? [] : await readApplied(client);
  const migrations = allMigrations();
  const newest = migrations.at(-1)?.number ?? 0;
  const newer = applied.find((row) => row.number > newest);
  if (newer) {
    throw new NewerSchemaError(
      `the audit database has migration ${newer.name}, which this version does not know`,
    );
  }
  const known = new Set(applied.map((row) => row.number));
  return {
    owner: owner ?? undefined,
    mayMigrate,
    pending: migrations.filter(({ number }) => !known.has(number)),
  };
}

/** From PostgreSQL 16 on, a member of a role may be allowed to have its rights and not to act as it. */
async function settableMembership(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::integer AS version`,
  );
  return rows[0]!.version >= 160_000 ? `'SET'` : `'MEMBER'`;
}

async function readApplied(client: pg.ClientBase): Promise<{ number: number; name: string }[]> {
  const { rows } = await client.query<{ number: number; name: string }>(
    'SELECT number, name FROM bemi.migrations',
  );
  return rows;
}

function allMigrations(): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map((name) => ({
      number: Number(name.slice(0, 4)),
      name,
      sql: readFileSync(new URL(name, folder), 'utf8'),
    }));
}

function quoted(role: string): string {
  return `"${role.replaceAll('"', '""')}"`;
}
