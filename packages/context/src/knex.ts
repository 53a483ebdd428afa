/**
 * The carrier for Knex with the client `pg`.
 *
 * @see https://knexjs.org/guide/
 */
import type { CarrierOptions } from './pg.ts';
import { type PgModule, wrapPg } from './pg-module.ts';

/** What is used of a Knex instance: the module `pg`, which Knex has loaded. */
export interface KnexInstance {
  readonly client: { driver: PgModule };
}

/**
 * Makes the writes of a Knex instance carry the context. Do it before the first query.
 *
 * @returns the same instance.
 *
 * @example
 * const db = wrapKnex(knex({ client: 'pg', connection: process.env.DATABASE_URL }));
 */
export function wrapKnex<K extends { readonly client: unknown }>(db: K, options?: CarrierOptions): K {
  const { client } = db as unknown as KnexInstance;
  client.driver = wrapPg(client.driver, options);
  return db;
}
