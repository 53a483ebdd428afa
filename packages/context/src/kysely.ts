/**
 * The carrier for Kysely on `pg`.
 *
 * @see https://kysely.dev/docs/getting-started?dialect=postgresql
 */
import type pg from 'pg';
import { type CarrierOptions, wrapPool } from './pg.ts';

/** What is used of the configuration of Kysely's PostgresDialect. */
export interface KyselyDialectConfig {
  readonly pool: pg.Pool | (() => Promise<pg.Pool>);
}

/**
 * The configuration of a `PostgresDialect`, with a pool whose writes carry the context. The rest of the configuration is
 * left as it is.
 *
 * @example
 * const db = new Kysely<Database>({
 *   dialect: new PostgresDialect(withContextPool({ pool: new pg.Pool({ connectionString }) })),
 * });
 */
export function withContextPool<C extends KyselyDialectConfig>(config: C, options?: CarrierOptions): C {
  const { pool } = config;
  if (typeof pool !== 'function') return { ...config, pool: wrapPool(pool, options) };
  return { ...config, pool: async () => wrapPool(await pool(), options) };
}
