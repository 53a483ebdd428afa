import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import type { StoredFinding } from './stored-finding.ts';

const folder = new URL('../../sql/', import.meta.url);
const beginning = 'CREATE VIEW bemi.changes AS\n';

/**
 * Compares the view `bemi.changes`, which is what people read, with the definition of the migrations: entries may be whole
 * and the view show something else. The server prints both definitions, so that they are compared as it understands them;
 * a role that may not make temporary views can't compare, and nothing is found.
 */
export async function verifyView(client: pg.ClientBase): Promise<StoredFinding[]> {
  await client.query('BEGIN');
  try {
    await client.query('SET LOCAL search_path = pg_catalog');
    await client.query(`CREATE TEMPORARY VIEW bemi_expected_changes AS ${definition()}`);
    const { rows } = await client.query<{ same: boolean | null }>(
      `SELECT pg_get_viewdef(to_regclass('bemi.changes')) = pg_get_viewdef('pg_temp.bemi_expected_changes'::regclass) AS same`,
    );
    return rows[0]?.same ? [] : [{ code: 'view-altered' }];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === insufficientPrivilege) return [];
    throw error;
  } finally {
    await client.query('ROLLBACK');
  }
}

const insufficientPrivilege = '42501';

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
