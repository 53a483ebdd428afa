import type pg from 'pg';
import { type CarrierOptions, wrapClient, wrapPool } from './pg.ts';

/** What a library uses of the module `pg`. */
export interface PgModule {
  readonly Client: new (...args: never[]) => pg.ClientBase;
  readonly Pool: new (...args: never[]) => pg.Pool;
}

/**
 * The module `pg`, the writes of whose clients and pools carry the context: for a library that makes them itself.
 * The module that is given stays as it is.
 *
 * @param module - `import pg from 'pg'`.
 *
 * @example
 * new Sequelize(url, { dialectModule: wrapPg(pg) });
 */
export function wrapPg<M extends PgModule>(module: M, options?: CarrierOptions): M {
  const Client = wrappedOnceMade(module.Client, (client) => wrapClient(client, options));
  const Pool = wrappedOnceMade(module.Pool, (pool) => wrapPool(pool, options));
  return new Proxy(module, {
    get(target, name) {
      if (name === 'Client') return Client;
      if (name === 'Pool') return Pool;
      const value: unknown = Reflect.get(target, name);
      // Some libraries take it by themselves when `pg-native` is there. Its clients then warn; silence would be worse.
      return name === 'native' && value ? wrapPg(value as PgModule, options) : value;
    },
  });
}

/** The same class, for `instanceof` and `extends` too. */
function wrappedOnceMade<T extends object>(
  made: new (...args: never[]) => T,
  wrap: (instance: T) => T,
): new (
  ...args: never[]
) => T {
  return new Proxy(made, {
    construct: (target, args, newTarget) => wrap(Reflect.construct(target, args, newTarget) as T),
  });
}
