import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import type { StoredFinding } from './stored-finding.ts';

const folder = new URL('../../sql/', import.meta.url);
const beginning = 'VIEW bemi.changes AS\n';

/**
 * Compares the view `bemi.changes`, which is what people read, with the definition of the migrations: entries may be whole
 * and the view show something else. To be called in a transaction that may write. The server prints both definitions, so that they are compared as it understands them.
 *
 * @returns `undefined` where they can't be compared: the role may not make temporary views, or the server is a standby.
 */
export async function verifyView(client: pg.ClientBase): Promise<StoredFinding[] | undefined> {
  await client.query('SAVEPOINT bemi_verify_view');
  try {
    await client.query('SET LOCAL search_path = pg_catalog');
    await client.query(`CREATE TEMPORARY VIEW bemi_expected_changes AS ${definition()}`);
    const { rows } = await client.query<{ same: boolean | null }>(
      `SELECT pg_get_viewdef(to_regclass('bemi.changes')) = pg_get_viewdef('pg_temp.bemi_expected_changes'::regclass) AS same`,
    );
    return rows[0]?.same ? [] : [{ code: 'view-altered' }];
  } catch (error) {
    if (error instanceof Error && 'code' in error && cantCompare.has(error.code)) return undefined;
    throw error;
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT bemi_verify_view');
  }
}

/** insufficient_privilege, read_only_sql_transaction */
const cantCompare: ReadonlySet<unknown> = new Set(['42501', '25006']);

/** The query of the view in the newest migration that defines it. */
function definition(): string {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .reverse();
  for (const file of files) {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const start = text.lastIndexOf(beginning);
    if (start >= 0) return text.slice(start + beginning.length, text.indexOf(';', start));
  }
  throw new Error('No migration defines the view bemi.changes');
}
