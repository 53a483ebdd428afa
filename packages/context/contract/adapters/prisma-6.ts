import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { Adapter } from '../client-under-test.ts';
import { prisma6Driver } from '../prisma-6/driver.ts';
import { PrismaClient } from '../prisma-6/generated/client.ts';
import { prismaUnderTest } from './prisma-items.ts';

/** What `packages/context/src/prisma.ts` imports in this repository: version 7. */
const installedDriver = fileURLToPath(
  new URL('../../../../node_modules/@prisma/adapter-pg/dist/index.mjs', import.meta.url),
);

/** Ours with `@prisma/adapter-pg` 6 in the place of 7, as in an application that has installed 6. */
async function prismaPgOn6(): Promise<typeof import('@bemi-db/prisma').PrismaPg> {
  vi.resetModules();
  vi.doMock(installedDriver, () => prisma6Driver);
  try {
    return (await import('@bemi-db/prisma')).PrismaPg;
  } finally {
    vi.doUnmock(installedDriver);
    vi.resetModules();
  }
}

export const prisma6Adapter: Adapter = {
  async connect(url) {
    const PrismaPg = await prismaPgOn6();
    const adapter = PrismaPg({ connectionString: url });
    if (!(adapter instanceof prisma6Driver.PrismaPg)) throw new Error('This is not the adapter of Prisma 6.');
    const prisma = new PrismaClient({ adapter });
    return prismaUnderTest(
      prisma,
      { notOffered: 'Prisma 6 has no nested transactions; see savepoint by SQL' },
      (items) => prisma.$transaction(items.map((item) => prisma.item.create({ data: item }))),
    );
  },
};
