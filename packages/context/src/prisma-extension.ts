import { currentBemiContext, runWithBemiContext } from './context.ts';
import { withStatementText } from './statement-text.ts';

/** What {@link withBemiExtension} may be told. */
export interface BemiExtensionOptions {
  /**
   * Names of models, as in the schema: only what is written through these has the context. Raw SQL has it in any case.
   * Default: all.
   */
  readonly includeModels?: readonly string[];
  /**
   * Whether the stored context gets a member `SQL`, the text of the statement, without the values of its parameters.
   * Each statement of a transaction then has a message of its own. Default: false.
   */
  readonly injectSqlInContext?: boolean;
}

/** What is used of a Prisma client. */
interface ExtensibleClient {
  $extends(extension: unknown): unknown;
}

interface Operation {
  readonly model?: string;
  readonly args: unknown;
  readonly query: (args: unknown) => Promise<unknown>;
}

/**
 * An extended Prisma client with more say in what has the context. The client needs the adapter of `PrismaPg`, which
 * carries the context with or without this extension.
 *
 * In a batch, `$transaction([…])`, Prisma runs the operations together: all have the context of the first.
 *
 * @example
 * const prisma = withBemiExtension(new PrismaClient({ adapter }), { includeModels: ['Patient'] });
 */
export function withBemiExtension<C extends object>(prisma: C, options: BemiExtensionOptions = {}): C {
  const { includeModels, injectSqlInContext = false } = options;

  function contextOf(model: string | undefined): object | undefined {
    const context = currentBemiContext();
    if (context === undefined) return undefined;
    if (model !== undefined && includeModels?.includes(model) === false) return {};
    return injectSqlInContext ? withStatementText(context) : undefined;
  }

  const extension = {
    name: '@bemi-db/prisma',
    query: {
      $allOperations({ model, args, query }: Operation): Promise<unknown> {
        const context = contextOf(model);
        return context === undefined ? query(args) : runWithBemiContext({ ...context }, () => query(args));
      },
    },
  };
  return (prisma as unknown as ExtensibleClient).$extends(extension) as C;
}
