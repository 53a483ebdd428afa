/**
 * The carrier for Drizzle on `pg`.
 *
 * @see https://orm.drizzle.team/docs/get-started-postgresql
 */
import type pg from 'pg';
import { type CarrierOptions, wrapClient, wrapPool } from './pg.ts';

/** What is used of a Drizzle database: the pool or client that it works on. */
export interface DrizzleDatabase {
  readonly $client: pg.Pool | pg.Client | pg.PoolClient;
}

/**
 * Makes the writes of a Drizzle database carry the context. Do it before the first query.
 *
 * @param db - of `drizzle-orm/node-postgres`, however it was made: from a URL, a configuration, a pool or a client.
 * @returns the same database.
 *
 * @example
 * const db = wrapDrizzle(drizzle(process.env.DATABASE_URL!));
 * await runWithBemiContext({ userId: 'u1' }, () => db.update(patient).set({ name }).where(eq(patient.id, id)));
 */
export function wrapDrizzle<D extends DrizzleDatabase>(db: D, options?: CarrierOptions): D {
  const client = db.$client;
  if ('totalCount' in client) wrapPool(client, options);
  else wrapClient(client, options);
  return db;
}
