import { createDatabase } from '@bemi-db/test-kit/database';
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { decodeWal } from '../test/decoded-wal.ts';
import { runWithBemiContext } from './context.ts';
import { PrismaPg } from './prisma.ts';

const url = 'postgresql://holi:secret@127.0.0.1:5432/holi_protocol';

it('can be called with and without new', () => {
  const called = PrismaPg({ connectionString: url });
  for (const factory of [called, new PrismaPg({ connectionString: url }), PrismaPg(url)]) {
    expect(factory).toBeInstanceOf(PlainPrismaPg);
    expect(factory).toBeInstanceOf(PrismaPg);
    expect(factory.provider).toBe('postgres');
  }
});

it.each([
  ['the URL of a configuration', { connectionString: '?schema=clinic' }, undefined, 'clinic'],
  ['the URL alone', '?sslmode=disable&schema=a%20b', undefined, 'a b'],
  ['the option, before the URL', { connectionString: '?schema=clinic' }, { schema: 'ward' }, 'ward'],
  ['nowhere', { connectionString: '' }, {}, undefined],
])('takes the schema from %s', async (_, config, options, schema) => {
  const database = await createDatabase();
  const full =
    typeof config === 'string'
      ? database.url + config
      : { connectionString: database.url + config.connectionString };
  const adapter = await PrismaPg(full, options).connect();
  onTestFinished(() => adapter.dispose());
  expect(adapter.getConnectionInfo().schemaName).toBe(schema);
  const { rows } = await adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] });
  expect(rows).toEqual([[1]]);
});

it('carries the context of writes, with a pool of its own and with the one that it is given', async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  await admin.query('CREATE TABLE t (id int PRIMARY KEY)');
  const wal = await decodeWal(database);
  const pool = new pg.Pool({ connectionString: database.url });
  onTestFinished(() => pool.end());

  const own = await PrismaPg({ connectionString: database.url }).connect();
  const given = await PrismaPg(pool).connect();
  onTestFinished(() => own.dispose());
  const insert = (id: number) => ({
    sql: 'INSERT INTO t VALUES ($1)',
    args: [id],
    argTypes: [{ scalarType: 'int' as const, arity: 'scalar' as const }],
  });
  await runWithBemiContext({ userId: 'u1' }, async () => {
    await own.executeRaw(insert(1));
    await given.executeRaw(insert(2));
    const transaction = await own.startTransaction('SERIALIZABLE');
    await transaction.executeRaw(insert(3));
    await transaction.executeRaw({ sql: 'COMMIT', args: [], argTypes: [] });
    await transaction.commit();
  });
  expect(await wal.take()).toEqual([1, 2, 3].map((id) => [{ userId: 'u1' }, `INSERT ${id}`]));
});
