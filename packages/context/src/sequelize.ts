/**
 * The carrier for Sequelize 6 with the dialect `postgres`.
 *
 * @see https://sequelize.org/docs/v6/
 */
import pg from 'pg';
import type { CarrierOptions } from './pg.ts';
import { type PgModule, wrapPg } from './pg-module.ts';

/**
 * The options of a Sequelize instance, with a `pg` whose writes carry the context.
 *
 * @param options - of the dialect `postgres`. A `dialectModule` that they name takes the place of the installed `pg`.
 *
 * @example
 * const sequelize = new Sequelize(process.env.DATABASE_URL!, withContextModule({ logging: false }));
 */
export function withContextModule<O extends object | { readonly dialect?: 'postgres' }>(
  options: O = {} as O,
  carrier?: CarrierOptions,
): O & { dialectModule: PgModule } {
  const { dialectModule } = options as { readonly dialectModule?: PgModule };
  return { ...options, dialectModule: wrapPg(dialectModule ?? pg, carrier) };
}
