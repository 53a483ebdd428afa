import { ApolloServer, type GraphQLRequestContext } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { bemiContext } from '@bemi-db/context/apollo';
import type { FrameworkUnderTest } from '../framework-under-test.ts';
import { header, post } from '../http-server.ts';
import { contextFor, type Route } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

interface Context {
  readonly userId: string | undefined;
  readonly ipAddress: string | undefined;
  readonly requestId: string | undefined;
}

const typeDefs = `
  type Query { ok: Boolean }
  type Mutation { one(id: Int!): Boolean two(id: Int!): Boolean }`;

const NAMES: Readonly<Record<Route, string>> = { one: 'VisitOnce', two: 'VisitTwice' };

function operation(route: Route, id: number) {
  return { query: `mutation ${NAMES[route]}($id: Int!) { ${route}(id: $id) }`, variables: { id } };
}

export const apolloApplication: FrameworkUnderTest = {
  async start(visits) {
    const written =
      (route: Route) =>
      async (_parent: unknown, { id }: { id: number }) => {
        await visits[route](id);
        return true;
      };
    const server = new ApolloServer<Context>({
      typeDefs,
      resolvers: { Mutation: { one: written('one'), two: written('two') } },
      allowBatchedHttpRequests: true,
      stopOnTerminationSignals: false,
      plugins: [
        bemiContext(({ contextValue, operationName }: GraphQLRequestContext<Context>) =>
          contextFor({ ...contextValue, endpoint: operationName ?? 'anonymous' }),
        ),
      ],
    });
    const { url } = await startStandaloneServer(server, {
      listen: { port: 0, host: '127.0.0.1' },
      context: ({ req: { headers } }) =>
        Promise.resolve({
          userId: header(headers, 'x-user-id'),
          ipAddress: header(headers, 'x-forwarded-for'),
          requestId: header(headers, 'x-request-id'),
        }),
    });
    return {
      endpoint: (route) => NAMES[route],
      async send(route, id, sender) {
        const answer = await post(url, operation(route, id), sender);
        if (answer !== `{"data":{"${route}":true}}\n`) throw new Error(answer);
      },
      particular: {
        'the operations of a batch have contexts of their own': {
          run: () =>
            post(
              url,
              [operation('two', 100_000), operation('one', 100_002), operation('two', 100_003)],
              STRANGER,
            ),
          recorded: {
            100000: { ...STRANGER, endpoint: 'VisitTwice' },
            100001: { ...STRANGER, endpoint: 'VisitTwice', step: 'second' },
            100002: { ...STRANGER, endpoint: 'VisitOnce' },
            100003: { ...STRANGER, endpoint: 'VisitTwice' },
            100004: { ...STRANGER, endpoint: 'VisitTwice', step: 'second' },
          },
        },
      },
      close: () => server.stop(),
    };
  },
};
