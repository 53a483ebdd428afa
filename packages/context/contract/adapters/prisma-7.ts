import { PrismaPg } from '@bemi-db/prisma';
import type { Adapter } from '../client-under-test.ts';
import { PrismaClient } from '../prisma-7/generated/client.ts';
import { prismaUnderTest } from './prisma-items.ts';

export const prisma7Adapter: Adapter = {
  async connect(url) {
    const prisma = new PrismaClient({ adapter: PrismaPg({ connectionString: url }) });
    return prismaUnderTest(
      prisma,
      (transaction, work) => transaction.$transaction((inner) => work(inner)),
      (items) => prisma.$transaction(items.map((item) => prisma.item.create({ data: item }))),
    );
  },
};
