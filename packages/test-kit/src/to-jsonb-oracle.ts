import type pg from 'pg';

/** What happened to one row. Rows are texts that `jsonb` printed, so equal rows are equal texts. */
export interface RowChange {
  /** `schema.table`, as it is named, without quotes. */
  readonly table: string;
  readonly operation: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface RecordedChange extends RowChange {
  readonly beforeKind: 'full' | 'key' | 'none';
  readonly primaryKey: string | null;
}

/**
 * The source's own word on every row that changes: triggers keep `to_jsonb(row)` of old and new row in a table of
 * their own, in the same transaction, under TimeZone UTC and default output settings, whatever the session's are.
 *
 * @param tables - quoted names, each with the columns that are not published.
 */
export async function watchRows(
  client: pg.ClientBase,
  tables: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  await client.query(`
    CREATE SCHEMA IF NOT EXISTS oracle;
    CREATE TABLE IF NOT EXISTS oracle.rows (number bigserial, "table" text, operation text, before jsonb, after jsonb);
    CREATE OR REPLACE FUNCTION oracle.keep_row() RETURNS trigger LANGUAGE plpgsql
      SET TimeZone = 'UTC' SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres'
      SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
    DECLARE
      unpublished text[] := coalesce(TG_ARGV, '{}');
    BEGIN
      INSERT INTO oracle.rows ("table", operation, before, after) VALUES (
        TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, TG_OP,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(old) - unpublished END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(new) - unpublished END);
      RETURN NULL;
    END $$`);
  for (const [table, unpublished] of Object.entries(tables)) {
    const names = unpublished.map((name) => client.escapeLiteral(name)).join(', ');
    await client.query(`CREATE TRIGGER oracle AFTER INSERT OR UPDATE OR DELETE ON ${table}
                          FOR EACH ROW EXECUTE FUNCTION oracle.keep_row(${names})`);
  }
}

/** What the source says, in the order in which it happened. */
export async function watchedChanges(source: pg.ClientBase): Promise<RowChange[]> {
  const { rows } = await source.query<RowChange>(
    `SELECT "table", operation, before::text, after::text FROM oracle.rows ORDER BY number`,
  );
  return rows;
}

/** What the trail says, in the order of the log. Tables named as they were, partitions by themselves. */
export async function recordedChanges(audit: pg.ClientBase): Promise<RecordedChange[]> {
  const { rows } = await audit.query<RecordedChange>(
    `SELECT v.schema || '.' || v."table" AS "table", v.operation, v.before::text, v.after::text,
            c.before_kind AS "beforeKind", c.primary_key AS "primaryKey"
       FROM bemi.changes v JOIN bemi.change_log c ON (c.log::bigint << 48) + c.sequence = v.id
      ORDER BY v.id`,
  );
  return rows;
}

/** Where the two differ, in words for people; empty when they don't. */
export function differences(watched: readonly RowChange[], recorded: readonly RowChange[]): string[] {
  const found: string[] = [];
  if (watched.length !== recorded.length)
    found.push(`${watched.length} rows changed, ${recorded.length} changes recorded`);
  for (let i = 0; i < Math.min(watched.length, recorded.length); i++) {
    const [theirs, ours] = [describe(watched[i]!), describe(recorded[i]!)];
    if (theirs !== ours) found.push(`source ${theirs}\n trail ${ours}`);
  }
  return found.slice(0, 20);
}

function describe({ table, operation, before, after }: RowChange): string {
  return `${operation} ${table}: ${before} -> ${after}`;
}
