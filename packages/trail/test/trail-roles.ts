import { randomBytes } from 'node:crypto';
import type { TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { inspectRoles, lockSetup } from '../src/roles/inspect-roles.ts';
import { planRoles } from '../src/roles/plan-roles.ts';
import type { WantedTrailRoles } from '../src/roles/trail-roles.ts';

/**
 * Names that nobody else has: roles are common to all databases of a server. When the test ends they are dropped with what
 * they own.
 */
export function testTrailRoles(database: Pick<TestDatabase, 'url'>): WantedTrailRoles {
  const suffix = randomBytes(6).toString('hex');
  const roles = {
    owner: `Bemi owner's ${suffix}`, // quoted, everywhere
    writer: `bemi_writer_${suffix}`,
    reader: `bemi_reader_${suffix}`,
    accounts: `bemi_accounts_${suffix}`,
    writerPassword: 'writes',
    readerPassword: 'reads',
    accountsPassword: 'keeps',
  };
  onTestFinished(() => dropRoles(database.url, [roles.writer, roles.reader, roles.accounts, roles.owner]));
  return roles;
}

export async function dropRoles(url: string, names: readonly string[]): Promise<void> {
  const admin = new pg.Client(url);
  await admin.connect();
  try {
    for (const name of names) {
      const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
      const role = pg.escapeIdentifier(name);
      if (rowCount) await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    }
  } finally {
    await admin.end();
  }
}

/** Plans and does what is missing, as `bemi setup --destination` does. Returns the ids of the steps. */
export async function setUpRoles(url: string, wanted: WantedTrailRoles): Promise<string[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await lockSetup(client);
    const steps = planRoles(await inspectRoles(client, wanted), wanted);
    for (const { sql } of steps) await client.query(sql);
    return steps.map(({ id }) => id);
  } finally {
    await client.end();
  }
}
