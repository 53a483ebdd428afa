/**
 * The ways to set up each library that docs/context/ shows, for the compiler: never run. With the types of the libraries
 * as they are, an adapter that can't be called like this does not pass `npm run test:adapters`.
 */
import { wrapDrizzle } from '@bemi-db/context/drizzle';
import { wrapKnex } from '@bemi-db/context/knex';
import { withContextPool } from '@bemi-db/context/kysely';
import { withContextClient } from '@bemi-db/context/mikro-orm';
import { wrapPg } from '@bemi-db/context/pg-module';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { withContextModule } from '@bemi-db/context/sequelize';
import { fetchWithContext } from '@bemi-db/context/supabase';
import { withContextDriver } from '@bemi-db/context/typeorm';
import { PrismaPg, withBemiExtension } from '@bemi-db/prisma';
import { MikroORM } from '@mikro-orm/postgresql';
import { createClient } from '@supabase/supabase-js';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleOnPostgres } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { PostgresJSDialect } from 'kysely-postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import { type Options, Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import type { Item } from './client-under-test.ts';
import { PrismaClient as Prisma6Client } from './prisma-6/generated/client.ts';
import { PrismaClient as Prisma7Client } from './prisma-7/generated/client.ts';

interface Tables {
  item: Item;
}

export const drizzleSetups = (url: string, pool: pg.Pool) => [
  wrapDrizzle(drizzle(url)),
  wrapDrizzle(drizzle({ connection: { connectionString: url } })),
  wrapDrizzle(drizzle({ client: pool })).select(),
  wrapDrizzle(drizzle(new pg.Client(url)), { call: true }),
];

export const kyselySetups = (pool: pg.Pool) => [
  new Kysely<Tables>({ dialect: new PostgresDialect(withContextPool({ pool })) }),
  new Kysely<Tables>({ dialect: new PostgresDialect(withContextPool({ pool: async () => pool })) }),
];

export const knexSetup = (url: string) => wrapKnex(knex({ client: 'pg', connection: url }))<Item>('item');

export const typeOrmSetups = (url: string) => [
  new DataSource(withContextDriver({ type: 'postgres', url, entities: [] })),
  new DataSource(withContextDriver({ type: 'postgres', url, driver: pg })),
];

export const sequelizeSetups = (url: string, options: Options) => [
  new Sequelize(url, withContextModule()),
  new Sequelize(url, withContextModule({ logging: false })),
  new Sequelize(withContextModule({ dialect: 'postgres', replication: { read: [{}], write: {} } })),
  new Sequelize(withContextModule(options)),
];

export const mikroOrmSetup = (clientUrl: string) =>
  MikroORM.init({ clientUrl, entities: [], driverOptions: withContextClient({ max: 20 }) });

export const supabaseSetup = (url: string, key: string) =>
  createClient(url, key, { global: { fetch: fetchWithContext({ database: 'postgres' }) } });

export const prisma7Setup = (connectionString: string) =>
  withBemiExtension(new Prisma7Client({ adapter: PrismaPg({ connectionString }) }), {
    includeModels: ['Item'],
    injectSqlInContext: true,
  }).item.findMany();

export const prisma6Setup = (connectionString: string) =>
  withBemiExtension(new Prisma6Client({ adapter: new PrismaPg({ connectionString }) })).item.findMany();

export const pgSetup = () => new (wrapPg(pg).Pool)().query('SELECT 1');

export const postgresSetups = (url: string) => {
  const client = wrapPostgres(postgres, { call: true })(url, { max: 3, types: { bigint: postgres.BigInt } });
  return [
    client`SELECT ${client.types.bigint(1n)}`.values(),
    drizzleOnPostgres({ client }).select(),
    new Kysely<Tables>({ dialect: new PostgresJSDialect({ postgres: wrapPostgres(postgres)(url) }) }),
  ];
};
