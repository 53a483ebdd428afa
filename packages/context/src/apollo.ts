import { enterRequestScope } from './context.ts';
import { addContext, type MadeContext } from './request-context.ts';

/** What is used of an operation, in Apollo's words a request. */
export interface ApolloRequest<Context> {
  readonly contextValue: Context;
  /** As it stands in the document, or the client has sent it. */
  readonly operationName?: string | null;
}

/** A plugin of Apollo Server 4 or 5. */
export interface ApolloPlugin<Request> {
  requestDidStart(request: Request): Promise<{ didResolveOperation(request: Request): Promise<void> }>;
}

/**
 * A plugin that gives each operation a scope of its own, operations of one batch too, and the context that the
 * function makes of it, before any resolver is called.
 *
 * @param contextOf - `request.contextValue` is what the server's own context function returned. If it throws, the
 *   operation goes on, and its stored context says so.
 *
 * @example
 * const server = new ApolloServer<Context>({
 *   typeDefs,
 *   resolvers,
 *   plugins: [
 *     bemiContext(({ contextValue, operationName }: GraphQLRequestContext<Context>) => ({
 *       userId: contextValue.userId,
 *       endpoint: operationName,
 *     })),
 *   ],
 * });
 */
export function bemiContext<Request extends ApolloRequest<unknown>>(
  contextOf: (request: Request) => MadeContext,
): ApolloPlugin<Request> {
  return {
    // Nothing may be awaited before: Apollo starts the operations of a batch one after the other, and what it
    // awaits next takes over the scope that is open then.
    requestDidStart() {
      enterRequestScope();
      return Promise.resolve({
        async didResolveOperation(request: Request) {
          await addContext(() => contextOf(request));
        },
      });
    },
  };
}
