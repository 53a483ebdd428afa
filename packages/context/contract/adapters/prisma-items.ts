import type { ClientUnderTest, Item, ItemWrites, NotOffered, OpenTransaction } from '../client-under-test.ts';

/** What is used of the clients that Prisma 6 and Prisma 7 generate from the same model, within a transaction too. */
interface PrismaStatements {
  readonly item: {
    create(args: { data: Item }): PromiseLike<unknown>;
    createMany(args: { data: Item[] }): PromiseLike<unknown>;
    update(args: { where: { id: number }; data: { quantity: number } }): PromiseLike<unknown>;
    delete(args: { where: { id: number } }): PromiseLike<unknown>;
    upsert(args: { where: { id: number }; create: Item; update: { quantity: number } }): PromiseLike<unknown>;
    findUnique(args: { where: { id: number } }): PromiseLike<unknown>;
  };
  $executeRawUnsafe(sql: string): PromiseLike<unknown>;
}

function itemWrites(prisma: PrismaStatements): ItemWrites {
  return {
    create: (item) => prisma.item.create({ data: item }),
    createMany: (items) => prisma.item.createMany({ data: [...items] }),
    update: (id, quantity) => prisma.item.update({ where: { id }, data: { quantity } }),
    delete: (id) => prisma.item.delete({ where: { id } }),
    upsert: (item) =>
      prisma.item.upsert({ where: { id: item.id }, create: item, update: { quantity: item.quantity } }),
    read: (id) => prisma.item.findUnique({ where: { id } }),
    raw: (sql) => prisma.$executeRawUnsafe(sql),
  };
}

/** What is used of the client itself; a transaction's client is of the type T. */
export interface PrismaUnderTest<T extends PrismaStatements> extends PrismaStatements {
  $transaction(
    work: (transaction: T) => Promise<void>,
    options: { maxWait: number; timeout: number },
  ): Promise<void>;
  $disconnect(): Promise<void>;
}

/**
 * @param nested - how a transaction's client opens one within it.
 * @param batch - `$transaction` of an array.
 */
export function prismaUnderTest<T extends PrismaStatements>(
  prisma: PrismaUnderTest<T>,
  nested: ((transaction: T, work: (inner: T) => Promise<void>) => Promise<unknown>) | NotOffered,
  batch: (items: readonly Item[]) => PromiseLike<unknown>,
): ClientUnderTest {
  const opened = (transaction: T): OpenTransaction => ({
    ...itemWrites(transaction),
    nested: 'notOffered' in nested ? nested : (work) => nested(transaction, (inner) => work(opened(inner))),
  });
  return {
    ...itemWrites(prisma),
    transaction: (work) =>
      // A hundred requests share ten connections: more than Prisma's 2 s may pass on a busy machine.
      prisma.$transaction((transaction) => work(opened(transaction)), { maxWait: 30_000, timeout: 30_000 }),
    batch,
    close: () => prisma.$disconnect(),
  };
}
