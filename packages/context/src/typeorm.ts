/**
 * The carrier for TypeORM with the driver `postgres`.
 *
 * @see https://typeorm.io/docs/drivers/postgres
 */
import pg from 'pg';
import type { CarrierOptions } from './pg.ts';
import { type PgModule, wrapPg } from './pg-module.ts';

/**
 * The options of a DataSource, with a driver whose writes carry the context.
 *
 * @param options - of `type: 'postgres'`. A `driver` that they name takes the place of the installed `pg`.
 *
 * @example
 * const dataSource = new DataSource(
 *   withContextDriver({ type: 'postgres', url: process.env.DATABASE_URL, entities: [Patient] }),
 * );
 */
export function withContextDriver<O extends { readonly type: 'postgres'; readonly driver?: unknown }>(
  options: O,
  carrier?: CarrierOptions,
): O & { driver: PgModule } {
  return { ...options, driver: wrapPg((options.driver as PgModule | undefined) ?? pg, carrier) };
}
