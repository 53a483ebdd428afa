import { createDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { writtenTrail } from '../../test/written-trail.ts';
import { migrate, migrationScript, readSchema } from '../migrate.ts';
import { openFunctions } from './trail-roles.ts';

/** Every table that holds the log, with its partitions, as `schema.name`. */
async function logTables(sql: pg.Client): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `SELECT tree.relid::regclass::text AS name
       FROM unnest(ARRAY['change_log', 'context_log', 'transaction_log', 'event_log']) parent,
            pg_partition_tree(to_regclass('bemi.' || parent)) tree
     UNION ALL SELECT 'bemi.' || name FROM unnest(ARRAY['quarantine', 'relations', 'tiles', 'checkpoints']) name`,
  );
  return rows.map(({ name }) => name);
}

async function filledTrail() {
  const trail = await writtenTrail();
  await trail.relation(0, 'public', 'patient');
  await trail.transaction({
    contexts: ['{"userId":"1"}'],
    changes: [{ relation: 0, operation: 'INSERT', primaryKey: '1', after: '{"id":1}' }],
  });
  await trail.client.query(`
    INSERT INTO bemi.event_log (log, sequence, at, kind, salt, actor, payload) VALUES (0, 4, now(), 'custom', '\\x01', 'me', '{"a":1}');
    INSERT INTO bemi.quarantine (log, sequence, field, reason, bytes) VALUES (0, 2, 'row', 'x', '\\x00');
    INSERT INTO bemi.tiles (log, level, index, hashes) VALUES (0, 0, 0, '\\x00');
    INSERT INTO bemi.checkpoints (log, size, checkpoint) VALUES (0, 5, 'x');
    INSERT INTO bemi.frontier (log, size, hashes, checkpoint) VALUES (0, 5, '\\x00', 'x')`);
  return trail;
}

test('triggers refuse UPDATE, DELETE and TRUNCATE on each table of the log and each partition, for a superuser too', async () => {
  const { client } = await filledTrail();
  const tables = await logTables(client);
  expect(tables).toHaveLength(4 * 3 + 4);
  for (const table of tables) {
    for (const statement of [
      `UPDATE ${table} SET log = log`,
      `UPDATE ONLY ${table} SET log = log WHERE false`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
    ]) {
      await expect(client.query(statement), statement).rejects.toMatchObject({
        code: 'BM004',
        hint: expect.stringContaining('bemi erase'),
      });
    }
  }
  for (const table of ['bemi.logs', 'bemi.sources', 'bemi.frontier']) {
    for (const statement of [`DELETE FROM ${table}`, `TRUNCATE ${table} CASCADE`]) {
      await expect(client.query(statement), statement).rejects.toMatchObject({ code: 'BM004' });
    }
  }
  const { rows } = await client.query('SELECT count(*)::integer AS n FROM bemi.changes');
  expect(rows).toEqual([{ n: 1 }]);
});

test('partitions that are made later are guarded, the index of contexts is not', async () => {
  const { client, log } = await filledTrail();
  await client.query('SELECT bemi.create_partitions($1, 1000000, 2000000)', [log]);
  for (const table of ['change_log', 'context_log', 'transaction_log', 'event_log']) {
    const partition = `bemi.${table}_${log}_1000000`;
    await expect(client.query(`TRUNCATE ${partition}`)).rejects.toMatchObject({ code: 'BM004' });
    await expect(client.query(`DELETE FROM ${partition}`)).rejects.toMatchObject({ code: 'BM004' });
  }
  await client.query('TRUNCATE bemi.change_index, bemi.change_blocks');
});

test('a log of before these triggers gets them', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const [first] = (await readSchema(client)).pending;
  await client.query(migrationScript(first!, undefined));
  await client.query(`SELECT bemi.create_log('app', 'x'), bemi.create_partitions(0, 0, 1000000)`);
  await migrate(client);
  const { rows } = await client.query<{ missing: string }>(
    `SELECT tree.relid::regclass::text AS missing
       FROM unnest(ARRAY['change_log', 'context_log', 'transaction_log', 'event_log']) parent,
            pg_partition_tree(to_regclass('bemi.' || parent)) tree
      WHERE (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = tree.relid AND t.tgname IN ('refuse_changes', 'keep_rows')) <> 2`,
  );
  expect(rows).toEqual([]);
  await expect(client.query('TRUNCATE bemi.event_log_0_0')).rejects.toMatchObject({ code: 'BM004' });
});

test('a permit lets erasure through, whole and with a commitment, and nothing else', async () => {
  const { client } = await filledTrail();
  const erase = `UPDATE bemi.change_log SET primary_key = NULL, before = NULL, after = NULL, salt = NULL`;
  const permitted = async (permit: string, statement: string) => {
    await client.query('BEGIN');
    try {
      await client.query(`SET LOCAL bemi.permit = '${permit}'`);
      return (await client.query(statement)).rowCount;
    } finally {
      await client.query('ROLLBACK');
    }
  };
  for (const permit of ['erasure', 'retention']) {
    expect(await permitted(permit, `${erase}, commitment = '\\x01'`)).toBe(1);
    expect(
      await permitted(
        permit,
        `UPDATE bemi.change_log_0_0 SET primary_key = NULL, after = NULL, commitment = '\\x01'`,
      ),
    ).toBe(1);
    expect(
      await permitted(
        permit,
        `UPDATE bemi.event_log SET actor = NULL, payload = NULL, salt = NULL, commitment = '\\x01'`,
      ),
    ).toBe(1);
    expect(await permitted(permit, 'UPDATE bemi.quarantine SET bytes = NULL')).toBe(1);
    for (const statement of [
      erase,
      `UPDATE bemi.change_log SET after = '{"id":2}', commitment = '\\x01'`,
      `UPDATE bemi.change_log SET primary_key = NULL, commitment = '\\x01'`,
      `${erase}, commitment = '\\x01', operation = 'DELETE'`,
      `${erase}, commitment = '\\x01', sequence = 999999`,
      'DELETE FROM bemi.change_log',
      'DELETE FROM bemi.change_log_0_0',
      'TRUNCATE bemi.change_log',
      `UPDATE bemi.quarantine SET reason = 'y', bytes = NULL`,
      `UPDATE bemi.tiles SET hashes = '\\x01'`,
    ]) {
      await expect(permitted(permit, statement), `${permit}: ${statement}`).rejects.toMatchObject({
        code: 'BM004',
      });
    }
  }
  await expect(permitted('erasure', 'DELETE FROM bemi.quarantine')).rejects.toMatchObject({ code: 'BM004' });
  expect(await permitted('retention', 'DELETE FROM bemi.quarantine')).toBe(1);
  await expect(permitted('', `${erase}, commitment = '\\x01'`)).rejects.toMatchObject({ code: 'BM004' });
});

test('a commitment is never replaced', async () => {
  const { client } = await filledTrail();
  await client.query(`BEGIN; SET LOCAL bemi.permit = 'erasure';
    UPDATE bemi.context_log SET context = NULL, salt = NULL, commitment = '\\x01'`);
  await expect(client.query(`UPDATE bemi.context_log SET commitment = '\\x02'`)).rejects.toMatchObject({
    code: 'BM004',
  });
  await client.query('ROLLBACK');
});

test('a partition can be detached and dropped without a permit', async () => {
  const { client } = await filledTrail();
  await client.query(
    'ALTER TABLE bemi.change_log_0 DETACH PARTITION bemi.change_log_0_0; DROP TABLE bemi.change_log_0_0; DROP TABLE bemi.event_log_0_0',
  );
});

test('the functions refuse what would leave the log broken', async () => {
  const { client, log } = await writtenTrail();
  const root = `'\\x${'00'.repeat(32)}'`;
  for (const call of [
    `seal(${log}, 5, ${root}, 'x')`, // two roots wanted
    `advance(${log}, 4, '0/1', '0/1', 1)`, // not sealed
    `create_partitions(${log}, 1000000, 1000100)`,
    `create_partitions(${log}, 2000000, 3000000)`, // a hole
    `create_log('other', 'x')`,
    `create_log('', '${'0'.repeat(32)}')`,
  ]) {
    await expect(client.query(`SELECT bemi.${call}`), call).rejects.toMatchObject({ code: 'BM003' });
  }
  await client.query(`SELECT bemi.seal(${log}, 4, ${root}, 'x'), bemi.advance(${log}, 4, '0/2', '0/3', 1)`);
  await expect(client.query(`SELECT bemi.seal(${log}, 2, ${root}, 'x')`)).rejects.toMatchObject({
    code: 'BM003',
  });
  await expect(client.query(`SELECT bemi.advance(${log}, 2, '0/1', '0/1', 1)`)).rejects.toMatchObject({
    code: 'BM003',
  });
  await client.query(`SELECT bemi.advance(${log}, 4, '0/1', '0/1', 1)`);
  const { rows } = await client.query('SELECT last_final_lsn, confirmed_lsn FROM bemi.sources');
  expect(rows).toEqual([{ last_final_lsn: '0/2', confirmed_lsn: '0/100' }]);
});

test('every function has a search_path of its own, and what runs as the owner is not for everybody', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await migrate(client);
  const { rows } = await client.query<{ name: string }>(
    `SELECT p.oid::regprocedure::text AS name FROM pg_proc p
      WHERE p.pronamespace = 'bemi'::regnamespace AND p.prosecdef
        AND (NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
             OR p.proname <> ALL ($1)
                AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0))`,
    [openFunctions],
  );
  expect(rows).toEqual([]);
});
