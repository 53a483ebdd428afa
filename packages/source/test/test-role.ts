import { randomBytes } from 'node:crypto';
import type { TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { onTestFinished } from 'vitest';

/**
 * A name for a role that nobody else has: roles are common to all databases of the server that tests share.
 * When the test ends, the role is dropped with everything that it owns and was granted in this database.
 */
export function testRoleName(database: TestDatabase, prefix = 'bemi'): string {
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  const role = pg.escapeIdentifier(name);
  onTestFinished(async () => {
    const admin = new pg.Client(database.url);
    await admin.connect();
    try {
      const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
      if (rowCount) await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    } finally {
      await admin.end();
    }
  });
  return name;
}

/** Makes a role with password `secret` and these attributes. */
export async function makeTestRole(
  database: TestDatabase,
  admin: pg.Client,
  attributes: string,
): Promise<string> {
  const name = testRoleName(database);
  await admin.query(`CREATE ROLE ${name} WITH ${attributes} PASSWORD 'secret'`);
  return name;
}

/** Connects as a role made by {@link makeTestRole}, works, and closes. */
export async function asTestRole<T>(
  database: TestDatabase,
  role: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(database.urlAs(role, 'secret'));
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
