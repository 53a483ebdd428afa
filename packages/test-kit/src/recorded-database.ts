import type pg from 'pg';
import { createDatabase, type TestDatabase } from './database.ts';

/** A source database that is ready to be recorded, and an empty audit database. */
export interface RecordedDatabase {
  readonly source: TestDatabase;
  readonly audit: TestDatabase;
  /** Superuser on the source. */
  readonly sql: pg.Client;
  /** Superuser on the audit database. */
  readonly trail: pg.Client;
  /** Of this source; the publication is `bemi_publication`. */
  readonly slot: string;
}

/**
 * Makes both databases. What `prepare` creates is published; then comes the slot: what happens afterwards is for a
 * worker to record. Tables that are made later have to be added to the publication.
 *
 * @param template - of the source, for another encoding.
 */
export async function createRecordedDatabase(
  prepare: (sql: pg.Client) => Promise<unknown>,
  template?: string,
): Promise<RecordedDatabase> {
  const source = await createDatabase(template);
  const audit = await createDatabase();
  const sql = await source.connect();
  await prepare(sql);
  const { rows } = await sql.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'oracle')`,
  );
  await sql.query('CREATE PUBLICATION bemi_publication');
  for (const { name } of rows) await sql.query(`ALTER PUBLICATION bemi_publication ADD TABLE ONLY ${name}`);
  const slot = `${source.name}_slot`;
  await sql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  return { source, audit, sql, trail: await audit.connect(), slot };
}
