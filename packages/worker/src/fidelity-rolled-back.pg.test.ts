import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { recordedChanges } from '@bemi-db/test-kit/to-jsonb-oracle';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

test('what is rolled back leaves nothing, also where the server can not keep it in memory', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE t (id integer PRIMARY KEY)'),
  );
  if (serverMajor() >= 13)
    await sql.query(`ALTER DATABASE ${source.name} SET logical_decoding_work_mem = '64kB'`);
  const many = (from: number) => `INSERT INTO t SELECT n FROM generate_series(${from}, ${from + 4_999}) n`;
  // PostgreSQL 18 says of this one's subtransaction that it was aborted.
  await sql.query(`BEGIN; SAVEPOINT a; INSERT INTO t VALUES (1); RELEASE a; ${many(10_000)}; ROLLBACK`);
  await sql.query(`BEGIN; INSERT INTO t VALUES (2); SAVEPOINT a; ${many(10_000)}; SAVEPOINT b; ${many(20_000)};
                   ROLLBACK TO a; INSERT INTO t VALUES (3); COMMIT`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  expect((await recordedChanges(trail)).map(({ primaryKey }) => primaryKey)).toEqual(['2', '3']);
});
