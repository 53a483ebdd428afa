import type { Adapter } from './client-under-test.ts';

/** The adapters by name, in the order of the table. Each is loaded when its turn comes. */
export const adapters: Readonly<Record<string, () => Promise<Adapter>>> = {
  pg: async () => (await import('./adapters/pg.ts')).pgAdapter,
  'postgres.js': async () => (await import('./adapters/postgres.ts')).postgresAdapter,
  'Prisma 7': async () => (await import('./adapters/prisma-7.ts')).prisma7Adapter,
  'Prisma 6': async () => (await import('./adapters/prisma-6.ts')).prisma6Adapter,
  Drizzle: async () => (await import('./adapters/drizzle.ts')).drizzleAdapter,
  'Drizzle, postgres.js': async () => (await import('./adapters/drizzle.ts')).drizzleOnPostgresAdapter,
  Kysely: async () => (await import('./adapters/kysely.ts')).kyselyAdapter,
  'Kysely, controlled transactions': async () =>
    (await import('./adapters/kysely.ts')).controlledKyselyAdapter,
  'Kysely, postgres.js': async () => (await import('./adapters/kysely.ts')).kyselyOnPostgresAdapter,
  Knex: async () => (await import('./adapters/knex.ts')).knexAdapter,
  TypeORM: async () => (await import('./adapters/typeorm.ts')).typeOrmAdapter,
  Sequelize: async () => (await import('./adapters/sequelize.ts')).sequelizeAdapter,
  MikroORM: async () => (await import('./adapters/mikro-orm.ts')).mikroOrmAdapter,
};
