import { readFile } from 'node:fs/promises';
import pg from 'pg';

const INIT = new URL('../prisma/migrations/0001_init.sql', import.meta.url);

/** Makes the clinic's tables, unless they are there. */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<{ exists: boolean }>(
      `SELECT to_regclass('"Patient"') IS NOT NULL AS "exists"`,
    );
    if (!rows[0]?.exists) await client.query(await readFile(INIT, 'utf8'));
  } finally {
    await client.end();
  }
}
