import { createDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { identityCosts } from './identity-cost.ts';
import { inspect } from './inspect.ts';

/** The least that an UPDATE of one row takes: without the page images that come after a checkpoint. */
async function walOfUpdate(client: pg.Client, table: string): Promise<number> {
  const measured: number[] = [];
  for (let n = 0; n < 8; n++) {
    const { rows } = await client.query(
      `EXPLAIN (ANALYZE, WAL, FORMAT JSON) UPDATE ${table} SET n = n + 1 WHERE id = 1`,
    );
    measured.push(rows[0]['QUERY PLAN'][0].Plan['WAL Bytes']);
  }
  return Math.min(...measured);
}

test('what REPLICA IDENTITY FULL will cost is close to what it does cost, TOASTed values included', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE TABLE small (id int PRIMARY KEY, n int, text text);
    CREATE TABLE large (id int PRIMARY KEY, n int, text text);
    CREATE TABLE empty (id int PRIMARY KEY);
    ALTER TABLE large ALTER text SET STORAGE EXTERNAL;
    INSERT INTO small SELECT i, 0, repeat('x', 200) FROM generate_series(1, 1000) i;
    INSERT INTO large SELECT i, 0, repeat(md5(i::text), 250) FROM generate_series(1, 300) i;
    CREATE PUBLICATION p FOR ALL TABLES;
    ANALYZE;
  `);
  const { tables } = await inspect(client, { slot: 's', publication: 'p' });
  const costs = await identityCosts(client, tables);
  expect(costs.map(({ name }) => name)).toEqual(['large', 'small']);

  for (const { name, walBytesPerChange } of costs) {
    const before = await walOfUpdate(client, name);
    await client.query(`ALTER TABLE ${name} REPLICA IDENTITY FULL`);
    const cost = (await walOfUpdate(client, name)) - before;
    expect(walBytesPerChange / cost).toBeGreaterThan(0.8);
    expect(walBytesPerChange / cost).toBeLessThan(1.4);
  }
});

test('a table that is being rewritten is not waited for', async () => {
  const database = await createDatabase();
  const [client, other] = [await database.connect(), await database.connect()];
  await client.query('CREATE TABLE t (id int PRIMARY KEY, text text); INSERT INTO t VALUES (1); ANALYZE t');
  const { tables } = await inspect(client, { slot: 's', publication: 'p' });
  await other.query('BEGIN; TRUNCATE t');
  expect(await identityCosts(client, tables, 20)).toEqual([]);
  await other.query('ROLLBACK');
  expect(await identityCosts(client, tables)).toHaveLength(1);
});
