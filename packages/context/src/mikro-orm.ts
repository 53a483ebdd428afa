/**
 * The carrier for MikroORM 7 with `@mikro-orm/postgresql`.
 *
 * @see https://mikro-orm.io/docs/usage-with-sql
 */
import pg from 'pg';
import type { CarrierOptions } from './pg.ts';
import { type PgModule, wrapPg } from './pg-module.ts';

/**
 * MikroORM's `driverOptions`, with clients whose writes carry the context.
 *
 * @param driverOptions - more options of `pg`'s pool.
 *
 * @example
 * const orm = await MikroORM.init({
 *   clientUrl: process.env.DATABASE_URL,
 *   entities: [Patient],
 *   driverOptions: withContextClient(),
 * });
 */
export function withContextClient<O extends object>(
  driverOptions: O = {} as O,
  carrier?: CarrierOptions,
): O & { Client: PgModule['Client'] } {
  return { ...driverOptions, Client: wrapPg(pg, carrier).Client };
}
