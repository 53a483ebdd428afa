/**
 * Prisma's adapter for PostgreSQL, whose writes carry the context.
 *
 * @see https://www.prisma.io/docs/orm/core-concepts/supported-databases/postgresql
 */
import { PrismaPg as PrismaPgFactory } from '@prisma/adapter-pg';
import { type CarrierOptions, wrapPool } from './pg.ts';

type PoolOrConfig = ConstructorParameters<typeof PrismaPgFactory>[0];
type Options = NonNullable<ConstructorParameters<typeof PrismaPgFactory>[1]>;

class ContextPrismaPg extends PrismaPgFactory {
  readonly #carrier: CarrierOptions | undefined;

  constructor(poolOrConfig: PoolOrConfig, options?: Options, carrier?: CarrierOptions) {
    super(poolOrConfig, withSchemaOfUrl(poolOrConfig, options));
    this.#carrier = carrier;
  }

  // The pool is made here, by the adapter's own copy of `pg`.
  override async connect(): ReturnType<PrismaPgFactory['connect']> {
    const adapter = await super.connect();
    wrapPool(adapter.underlyingDriver(), this.#carrier);
    return adapter;
  }
}

/** {@link PrismaPg}, which can be called with or without `new`. */
export interface PrismaPgConstructor {
  new (poolOrConfig: PoolOrConfig, options?: Options, carrier?: CarrierOptions): PrismaPgFactory;
  (poolOrConfig: PoolOrConfig, options?: Options, carrier?: CarrierOptions): PrismaPgFactory;
  readonly prototype: PrismaPgFactory;
}

/**
 * Takes the place of `PrismaPg` from `@prisma/adapter-pg`, with the same arguments: a configuration with a
 * `connectionString` (or the URL alone), or a `pg.Pool`; and options.
 *
 * `?schema=` in the URL, which Prisma's own adapter ignores, is the schema of the models, unless the option
 * `schema` names another.
 *
 * @example
 * const prisma = new PrismaClient({ adapter: PrismaPg({ connectionString: process.env.DATABASE_URL }) });
 */
export const PrismaPg: PrismaPgConstructor = new Proxy(ContextPrismaPg, {
  apply: (target, _this, args: ConstructorParameters<typeof ContextPrismaPg>) => new target(...args),
}) as typeof ContextPrismaPg & PrismaPgConstructor;

export type PrismaPg = PrismaPgFactory;

function withSchemaOfUrl(poolOrConfig: PoolOrConfig, options: Options | undefined): Options | undefined {
  const url = connectionString(poolOrConfig);
  const schema = new URLSearchParams(url?.slice(url.indexOf('?') + 1)).get('schema');
  return options?.schema === undefined && schema ? { ...options, schema } : options;
}

function connectionString(poolOrConfig: PoolOrConfig): string | undefined {
  if (typeof poolOrConfig === 'string') return poolOrConfig;
  return ('connect' in poolOrConfig ? poolOrConfig.options : poolOrConfig).connectionString;
}
