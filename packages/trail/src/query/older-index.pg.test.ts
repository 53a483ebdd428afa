import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { migrate, migrationScript, readSchema } from '../migrate.ts';
import { indexChanges } from '../partitions.ts';
import { createSource, findSource } from '../sources.ts';
import { verifyIndex } from '../verify/verify-index.ts';
import { searchChanges } from './search-changes.ts';

test('a log of before there was an index of changes is searched at once, and indexed afterwards', async () => {
  const client = await (await createDatabase()).connect();
  for (const migration of (await readSchema(client)).pending.filter(({ number }) => number < 9))
    await client.query(migrationScript(migration, migration.number === 1 ? undefined : 'postgres'));
  await createSource(client, {
    ...{ name: 'app', systemIdentifier: '1', database: 'app', slot: 's', publication: 'p' },
    ...{ timeline: 1, completeFromLsn: '0/100' },
  });
  const { log } = (await findSource(client, 'app'))!;
  await client.query(
    'SELECT bemi.create_partitions($1, 0, 65536), bemi.create_partitions($1, 65536, 131072)',
    [log],
  );
  await client.query(
    `INSERT INTO bemi.relations (log, relation, oid, schema_name, table_name, root_schema, root_table, document)
     VALUES ($1, 0, 1, 'public', 'note', 'public', 'note', '{}')`,
    [log],
  );
  // Transactions of a context, a change and a commit, over the end of a partition.
  await client.query(
    `WITH t AS (SELECT 65000 + n * 3 AS first, n FROM generate_series(0, 999) n), contexts AS (
       INSERT INTO bemi.context_log (log, context_no, sequence, transaction, authenticity, context)
       SELECT $1, 0, first, first, 'unsigned', json_build_object('userId', 'u' || n % 500) FROM t
     ), changes AS (
       INSERT INTO bemi.change_log (log, relation, sequence, transaction, lsn, context_no, operation, before_kind, after)
       SELECT $1, 0, first + 1, first, '0/1', 0, 'INSERT', 'none', '{}' FROM t)
     INSERT INTO bemi.transaction_log (log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn,
                                       xid, committed_at, recorded_at, change_count, context_count)
     SELECT $1, 1, first + 2, first, '0/1', '0/1', '0/1', n, now(), now(), 1, 1 FROM t`,
    [log],
  );
  await client.query('UPDATE bemi.logs SET next_sequence = 68000 WHERE log = $1', [log]);
  await client.query('SELECT bemi.index_contexts($1, 100000)', [log]);

  expect((await migrate(client)).applied).toContain('0009_change_index.sql');
  const find = async () => {
    const filter = { context: [{ key: 'userId', value: 'u17' }], tables: [{ name: 'note' }] };
    return (await searchChanges(client, { log, filter, limit: 9 })).changes.map(({ sequence }) => sequence);
  };
  expect(await find()).toEqual(['66552', '65052']);
  expect(await indexChanges(client, log, 100)).toBe(true);
  expect(await find()).toEqual(['66552', '65052']);
  expect(await verifyIndex(client, log, undefined)).toEqual([]);
  const { rows } = await client.query('SELECT count(*)::int AS rows FROM bemi.change_index');
  expect(rows[0].rows).toBeGreaterThan(400);
  await client.query('SELECT bemi.create_partitions($1, 131072, 262144)', [log]);
});
