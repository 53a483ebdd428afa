import { mergeBemiContext, runWithBemiContext } from '@bemi-db/context';
import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, it, onTestFinished } from 'vitest';
import { type DecodedWal, decodeWal } from '../../../../packages/context/test/decoded-wal.ts';
import type { PrismaClient } from '../generated/prisma/client.ts';
import { migrate } from '../migrate.ts';
import { testBemi } from '../test-bemi.ts';
import { createPrisma } from './prisma.ts';

const ALICE = { userId: 'alice' };
const BOB = { userId: 'bob' };

interface Bench {
  readonly prisma: PrismaClient;
  readonly wal: DecodedWal;
}

async function bench(): Promise<Bench> {
  const database = await createDatabase();
  await migrate(database.url);
  const prisma = createPrisma(`${database.url}?schema=public`, true);
  onTestFinished(() => prisma.$disconnect());
  return { prisma, wal: await decodeWal(database) };
}

const user = (id: string) => ({ id, name: id, email: `${id}@clinic.example`, role: 'NURSE' as const });

it('carries the context of test 1 of the guide', async () => {
  const { prisma, wal } = await bench();
  // It sets its context as a script does, for all that follows: here, only within this.
  const id = await runWithBemiContext({}, () => testBemi(prisma));
  const context = {
    userId: 'test_user_123',
    role: 'PHYSICIAN',
    ipAddress: '192.168.1.100',
    userAgent: 'Test Script',
    endpoint: '/test',
    accessReason: 'Testing Bemi replication',
  };
  expect(await wal.take()).toEqual([
    [context, `INSERT ${id}`],
    [context, `UPDATE ${id}`],
    [context, `DELETE ${id}`],
  ]);
});

it('carries it with every operation that writes, also where the query is lazy', async () => {
  const { prisma, wal } = await bench();
  const as = <T>(work: () => PromiseLike<T>): Promise<T> => runWithBemiContext(ALICE, work);
  await as(() => prisma.user.create({ data: user('a') }));
  await as(() => prisma.user.createMany({ data: [user('b'), user('c')] }));
  await as(() => prisma.user.createManyAndReturn({ data: [user('d')] }));
  await as(() => prisma.user.upsert({ where: { id: 'e' }, create: user('e'), update: {} }));
  await as(() => prisma.user.upsert({ where: { id: 'e' }, create: user('e'), update: { name: 'E' } }));
  await as(() => prisma.user.updateMany({ where: { id: { in: ['b', 'c'] } }, data: { active: false } }));
  await as(() => prisma.user.updateManyAndReturn({ where: { id: 'd' }, data: { active: false } }));
  await as(() => prisma.user.deleteMany({ where: { id: { in: ['b', 'c'] } } }));
  await as(() => prisma.$executeRaw`UPDATE "User" SET "active" = false WHERE "id" = ${'a'}`);
  await as(() => prisma.$executeRawUnsafe(`DELETE FROM "User" WHERE "id" = 'd'`));
  await as(() => prisma.$queryRaw`DELETE FROM "User" WHERE "id" = ${'e'} RETURNING "id"`);
  await as(() => prisma.user.findMany());
  await as(() => prisma.user.count());

  const transactions = await wal.take();
  expect(transactions.every(([first]) => Object(first).userId === 'alice')).toBe(true);
  expect(transactions.map(([, ...changes]) => changes)).toEqual([
    ['INSERT a'],
    ['INSERT b', 'INSERT c'],
    ['INSERT d'],
    ['INSERT e'],
    ['UPDATE e'],
    ['UPDATE b', 'UPDATE c'],
    ['UPDATE d'],
    ['DELETE b', 'DELETE c'],
    ['UPDATE a'],
    ['DELETE d'],
    ['DELETE e'],
  ]);
});

it('carries it once in a transaction: batch, interactive, nested writes', async () => {
  const { prisma, wal } = await bench();
  await runWithBemiContext(ALICE, () =>
    prisma.$transaction([prisma.user.create({ data: user('a') }), prisma.user.create({ data: user('b') })]),
  );
  await runWithBemiContext(ALICE, () =>
    prisma.$transaction(
      async (transaction) => {
        await transaction.user.create({ data: user('c') });
        await transaction.user.delete({ where: { id: 'a' } });
        mergeBemiContext(BOB);
        await transaction.user.delete({ where: { id: 'b' } });
      },
      { isolationLevel: 'Serializable' },
    ),
  );
  const patient = { firstName: 'P', lastName: 'Q', dateOfBirth: new Date(0), gender: 'OTHER' as const };
  const prescriptions = {
    create: { id: 'rx', medication: 'M', dosage: '1', quantity: 1, prescriberId: 'c' },
  };
  await runWithBemiContext(BOB, () =>
    prisma.patient.create({ data: { id: 'p', ...patient, prescriptions }, include: { prescriptions: true } }),
  );
  expect(await wal.take()).toEqual([
    [ALICE, 'INSERT a', 'INSERT b'],
    [ALICE, 'INSERT c', 'DELETE a', BOB, 'DELETE b'],
    [BOB, 'INSERT p', 'INSERT rx'],
  ]);
});

it('leaves nothing of what is rolled back, and goes on after an error', async () => {
  const { prisma, wal } = await bench();
  await runWithBemiContext(ALICE, async () => {
    await prisma.user.create({ data: user('a') });
    await expect(prisma.user.create({ data: user('a') })).rejects.toMatchObject({ code: 'P2002' });
    await expect(
      prisma.$transaction(async (transaction) => {
        await transaction.user.create({ data: user('b') });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await expect(
      prisma.$transaction([prisma.user.create({ data: user('c') }), prisma.user.create({ data: user('a') })]),
    ).rejects.toMatchObject({ code: 'P2002' });
  });
  await prisma.user.create({ data: user('d') });
  expect(await wal.take()).toEqual([[ALICE, 'INSERT a'], ['INSERT d']]);
});

it('keeps a hundred concurrent contexts apart', async () => {
  const { prisma, wal } = await bench();
  const ids = Array.from({ length: 100 }, (_, index) => `u${index}`);
  await Promise.all(
    ids.map((id, index) =>
      runWithBemiContext({ userId: id }, () =>
        index % 2 === 0
          ? prisma.user.create({ data: user(id) })
          : prisma.$transaction((transaction) => transaction.user.create({ data: user(id) }), {
              maxWait: 30_000,
            }),
      ),
    ),
  );
  expect(new Set(await wal.take())).toEqual(new Set(ids.map((id) => [{ userId: id }, `INSERT ${id}`])));
});
