import { bemiContext } from '@bemi-db/context/trpc';
import { createTRPCClient, httpBatchLink, httpBatchStreamLink } from '@trpc/client';
import { initTRPC } from '@trpc/server';
import { type CreateHTTPContextOptions, createHTTPServer } from '@trpc/server/adapters/standalone';
import type { FrameworkUnderTest, Sender } from '../framework-under-test.ts';
import { close, header, headersOf, listen } from '../http-server.ts';
import { contextFor, type Visits } from '../visits.ts';

const STRANGER = { userId: 'dave', ipAddress: '203.0.113.7', requestId: 'r' };

interface Context {
  readonly userId: string | undefined;
  readonly ipAddress: string | undefined;
  readonly requestId: string | undefined;
}

function createContext({ req }: CreateHTTPContextOptions): Context {
  return {
    userId: header(req.headers, 'x-user-id'),
    ipAddress: header(req.headers, 'x-forwarded-for'),
    requestId: header(req.headers, 'x-request-id'),
  };
}

function createRouter(visits: Visits) {
  const t = initTRPC.context<Context>().create();
  const procedure = t.procedure.use(
    bemiContext(({ ctx, path }: { ctx: Context; path: string; type: string }) =>
      contextFor({ ...ctx, endpoint: path }),
    ),
  );
  const withId = procedure.input(Number);
  return t.router({
    visit: t.router({
      one: withId.mutation(({ input }) => visits.one(input)),
      two: withId.mutation(({ input }) => visits.two(input)),
      each: procedure.query(async function* () {
        for (const id of [100_010, 100_011]) {
          await visits.one(id);
          yield id;
        }
      }),
    }),
  });
}

export const trpcApplication: FrameworkUnderTest = {
  async start(visits) {
    const server = createHTTPServer({ router: createRouter(visits), createContext });
    const url = await listen(server as unknown as Parameters<typeof listen>[0]);
    type Router = ReturnType<typeof createRouter>;
    const client = (sender: Sender) =>
      createTRPCClient<Router>({ links: [httpBatchLink({ url, headers: headersOf(sender) })] });
    const streaming = createTRPCClient<Router>({
      links: [httpBatchStreamLink({ url, headers: headersOf(STRANGER) })],
    });
    return {
      endpoint: (route) => `visit.${route}`,
      send: (route, id, sender) => client(sender).visit[route].mutate(id),
      particular: {
        'the calls of a batch have contexts of their own': {
          run: async () => {
            const { visit } = client(STRANGER);
            await Promise.all([
              visit.two.mutate(100_000),
              visit.one.mutate(100_002),
              visit.two.mutate(100_003),
            ]);
          },
          recorded: {
            100000: { ...STRANGER, endpoint: 'visit.two' },
            100001: { ...STRANGER, endpoint: 'visit.two', step: 'second' },
            100002: { ...STRANGER, endpoint: 'visit.one' },
            100003: { ...STRANGER, endpoint: 'visit.two' },
            100004: { ...STRANGER, endpoint: 'visit.two', step: 'second' },
          },
        },
        'what is streamed has the context': {
          run: async () => {
            for await (const _ of await streaming.visit.each.query());
          },
          recorded: Object.fromEntries(
            [100_010, 100_011].map((id) => [id, { ...STRANGER, endpoint: 'visit.each' }]),
          ),
        },
      },
      close: () => close(server as unknown as Parameters<typeof close>[0]),
    };
  },
};
