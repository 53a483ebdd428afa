import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { recordedChanges } from '@bemi-db/test-kit/to-jsonb-oracle';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

test("partitions show their root's name; a TRUNCATE shows what was emptied", async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    await client.query(`
      CREATE SCHEMA parts;
      CREATE TABLE root (id integer, region text, v text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
      CREATE TABLE parts.eu PARTITION OF root FOR VALUES IN ('eu') PARTITION BY RANGE (id);
      CREATE TABLE parts.eu_low PARTITION OF parts.eu FOR VALUES FROM (0) TO (10);
      CREATE TABLE parts.us (v text, region text NOT NULL, id integer NOT NULL);
      ALTER TABLE root ATTACH PARTITION parts.us FOR VALUES IN ('us');
      ALTER TABLE parts.eu_low REPLICA IDENTITY FULL;
      CREATE TABLE plain (id integer PRIMARY KEY);
      CREATE TABLE referring (id integer REFERENCES plain)`);
  });
  await sql.query(`INSERT INTO root VALUES (1, 'eu', 'a')`);
  await sql.query(`UPDATE root SET v = 'b'`);
  await sql.query(`UPDATE root SET region = 'us'`);
  await sql.query('TRUNCATE parts.us');
  await sql.query(`INSERT INTO root VALUES (2, 'us', 'c')`);
  await sql.query('TRUNCATE root');
  await sql.query('TRUNCATE plain CASCADE');
  await sql.query('TRUNCATE plain, referring, parts.eu RESTART IDENTITY');
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  await sql.query('ALTER TABLE root DETACH PARTITION parts.us');
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  await sql.query(`INSERT INTO parts.us VALUES ('d', 'us', 3)`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const changes = await recordedChanges(trail);
  const truncated = (...names: string[]) => names.map((name) => ['TRUNCATE', name, null, 'none', null]);
  const row = (id: number, region: string, v: string) => ({ id, region, v });
  const seen = changes.map(({ operation, table, primaryKey, beforeKind, before, after }) => [
    operation,
    table,
    primaryKey,
    beforeKind,
    JSON.parse(after ?? before ?? 'null'),
  ]);
  // The order in which one TRUNCATE names its tables is the server's affair.
  expect(seen.slice(0, 6)).toEqual([
    ['INSERT', 'public.root', '["eu","1"]', 'none', row(1, 'eu', 'a')],
    ['UPDATE', 'public.root', '["eu","1"]', 'full', row(1, 'eu', 'b')],
    ['DELETE', 'public.root', '["eu","1"]', 'full', row(1, 'eu', 'b')],
    ['INSERT', 'public.root', '["us","1"]', 'none', row(1, 'us', 'b')],
    ['TRUNCATE', 'parts.us', null, 'none', null],
    ['INSERT', 'public.root', '["us","2"]', 'none', row(2, 'us', 'c')],
  ]);
  expect(seen.slice(6, -1).toSorted()).toEqual(
    truncated(
      ...['parts.eu_low', 'parts.us'],
      ...['public.plain', 'public.referring'],
      ...['parts.eu_low', 'public.plain', 'public.referring'],
    ).toSorted(),
  );
  expect(seen.at(-1)).toEqual(['INSERT', 'parts.us', '["us","3"]', 'none', row(3, 'us', 'd')]);
});
