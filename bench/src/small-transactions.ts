import { readFileSync } from 'node:fs';
import type pg from 'pg';

const schemaFile = new URL('../sql/small-transactions-schema.sql', import.meta.url);

/** Makes the workload's table and publication. */
export async function createSchema(client: pg.ClientBase): Promise<void> {
  await client.query(readFileSync(schemaFile, 'utf8'));
}

/**
 * Commits that many transactions, each with its context, an INSERT and an UPDATE, and in every fifth a DELETE.
 * @returns the number of changes.
 */
export async function writeSmallTransactions(client: pg.ClientBase, count: number): Promise<number> {
  await client.query('SET synchronous_commit = off');
  await client.query(`DO $$
    DECLARE
      i integer;
      key text;
    BEGIN
      FOR i IN 1..${Math.trunc(count)} LOOP
        key := 'clx' || md5(i::text);
        PERFORM pg_logical_emit_message(true, '_bemi', json_build_object(
          'userId', 'user_' || i % 500, 'role', 'PHYSICIAN', 'ipAddress', '192.168.1.' || i % 250,
          'userAgent', 'Mozilla/5.0', 'endpoint', '/api/patients', 'accessReason', 'TREATMENT')::text);
        INSERT INTO "Patient" VALUES (
          key, 'First' || i, 'Last' || i, date '1950-01-01' + i % 20000, 'MALE', 'p' || i || '@example.com',
          '+1234567' || i,
          jsonb_build_object('street', i || ' Main St', 'city', 'Springfield', 'zip', lpad((i % 99999)::text, 5, '0')),
          (i % 100000) / 7.0);
        UPDATE "Patient" SET "firstName" = 'Updated' || i, "updatedAt" = clock_timestamp() WHERE id = key;
        IF i % 5 = 0 THEN DELETE FROM "Patient" WHERE id = key; END IF;
        COMMIT;
      END LOOP;
    END $$`);
  await client.query('CHECKPOINT');
  return count * 2 + Math.floor(count / 5);
}
