import { type BemiExtensionOptions, PrismaPg, runWithBemiContext, withBemiExtension } from '@bemi-db/prisma';
import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, it, onTestFinished } from 'vitest';
import { type DecodedWal, decodeWal } from '../test/decoded-wal.ts';
import { CREATE_ITEM_TABLE } from './item-table.ts';
import { PrismaClient } from './prisma-7/generated/client.ts';

const ALICE = { userId: 'alice' };
const INSERT =
  'INSERT INTO "public"."item" ("id","name","quantity") VALUES ($1,$2,$3) RETURNING "public"."item"."id", "public"."item"."name", "public"."item"."quantity"';
const UPDATE = 'UPDATE item SET quantity = 7';

async function bench(options?: BemiExtensionOptions): Promise<{ prisma: PrismaClient; wal: DecodedWal }> {
  const database = await createDatabase();
  const admin = await database.connect();
  await admin.query(`${CREATE_ITEM_TABLE}; ALTER TABLE item REPLICA IDENTITY DEFAULT`);
  const plain = new PrismaClient({ adapter: PrismaPg({ connectionString: database.url }) });
  const prisma = withBemiExtension(plain, options);
  onTestFinished(() => plain.$disconnect());
  return { prisma, wal: await decodeWal(database) };
}

const item = (id: number) => ({ id, name: `item ${id}`, quantity: 1 });

it('changes nothing by itself', async () => {
  const { prisma, wal } = await bench();
  await runWithBemiContext(ALICE, () => prisma.item.create({ data: item(1) }));
  await prisma.item.create({ data: item(2) });
  await runWithBemiContext(ALICE, () => prisma.$transaction([prisma.item.create({ data: item(3) })]));
  expect(await wal.take()).toEqual([[ALICE, 'INSERT 1'], ['INSERT 2'], [ALICE, 'INSERT 3']]);
});

it.each([
  [['Item'], [ALICE, 'INSERT 1']],
  [['Other'], ['INSERT 1']],
  [[], ['INSERT 1']],
])('includeModels %j: only these have the context, and raw SQL', async (includeModels, inserted) => {
  const { prisma, wal } = await bench({ includeModels });
  await runWithBemiContext(ALICE, () => prisma.item.create({ data: item(1) }));
  await runWithBemiContext(ALICE, () => prisma.$executeRawUnsafe(UPDATE));
  expect(await wal.take()).toEqual([inserted, [ALICE, 'UPDATE 1']]);
});

it('keeps models that are not included apart within a transaction', async () => {
  const { prisma, wal } = await bench({ includeModels: [] });
  await runWithBemiContext(ALICE, () =>
    prisma.$transaction(async (transaction) => {
      await transaction.$executeRawUnsafe(`INSERT INTO item VALUES (1, 'raw', 1)`);
      await transaction.item.create({ data: item(2) });
    }),
  );
  expect(await wal.take()).toEqual([[ALICE, 'INSERT 1', {}, 'INSERT 2']]);
});

it('injectSqlInContext: the stored context has the text of each statement, without its values', async () => {
  const { prisma, wal } = await bench({ injectSqlInContext: true });
  await runWithBemiContext(ALICE, () => prisma.item.create({ data: item(1) }));
  await runWithBemiContext({ ...ALICE, SQL: 'my own' }, () => prisma.$executeRawUnsafe(UPDATE));
  await runWithBemiContext(ALICE, () =>
    prisma.$transaction(async (transaction) => {
      await transaction.item.create({ data: item(2) });
      await transaction.$executeRawUnsafe(`${UPDATE} WHERE id = 2`);
    }),
  );
  await prisma.item.create({ data: item(3) });
  expect(await wal.take()).toEqual([
    [{ ...ALICE, SQL: INSERT }, 'INSERT 1'],
    [{ ...ALICE, SQL: 'my own' }, 'UPDATE 1'],
    [{ ...ALICE, SQL: INSERT }, 'INSERT 2', { ...ALICE, SQL: `${UPDATE} WHERE id = 2` }, 'UPDATE 2'],
    ['INSERT 3'],
  ]);
});

it('a batch has the context of its first operation, and each statement its text', async () => {
  const { prisma, wal } = await bench({ includeModels: [], injectSqlInContext: true });
  const raw = (id: number) => `INSERT INTO item VALUES (${id}, 'raw ${id}', 1)`;
  await runWithBemiContext(ALICE, () =>
    prisma.$transaction([
      prisma.$executeRawUnsafe(raw(1)),
      prisma.item.create({ data: item(2) }),
      prisma.$executeRawUnsafe(raw(3)),
    ]),
  );
  await runWithBemiContext(ALICE, () =>
    prisma.$transaction([prisma.item.create({ data: item(4) }), prisma.$executeRawUnsafe(raw(5))]),
  );
  expect(await wal.take()).toEqual([
    [
      { ...ALICE, SQL: raw(1) },
      'INSERT 1',
      { ...ALICE, SQL: INSERT },
      'INSERT 2',
      { ...ALICE, SQL: raw(3) },
      'INSERT 3',
    ],
    ['INSERT 4', 'INSERT 5'],
  ]);
});
