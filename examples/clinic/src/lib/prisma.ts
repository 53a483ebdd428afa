import { PrismaPg } from '@bemi-db/prisma';
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/prisma/client.ts';

/**
 * @param audit - whether writes carry their context. Without, Prisma 7 still needs an adapter: its own.
 */
export function createPrisma(databaseUrl: string, audit: boolean): PrismaClient {
  const adapter = audit
    ? PrismaPg({ connectionString: databaseUrl })
    : new PlainPrismaPg({ connectionString: databaseUrl });
  return new PrismaClient({ adapter });
}
