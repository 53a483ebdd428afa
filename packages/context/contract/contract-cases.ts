import { setTimeout as delay } from 'node:timers/promises';
import { type BemiContext, mergeBemiContext, runWithBemiContext, setBemiContext } from '@bemi-db/context';
import { type ClientUnderTest, type Item, isNotOffered, type NotOffered } from './client-under-test.ts';

/** A change that the worker recorded: `INSERT 1`, operation and id, and its context. */
export type RecordedChange = readonly [change: string, context: BemiContext | null];

export interface CaseBench {
  readonly client: ClientUnderTest;
  /** The cases have a range of ids each, and call them 1, 2, 3 …. */
  id(number: number): number;
  item(number: number): Item;
  /** The messages in the WAL since the last call. */
  messages(): Promise<readonly string[]>;
}

export interface ContractCase {
  /** As the table shows it. */
  readonly name: string;
  /** Why this client can't do it, if so. */
  readonly notOffered?: (client: ClientUnderTest) => Promise<NotOffered | undefined>;
  readonly run: (bench: CaseBench) => Promise<void>;
  /** What the worker must have recorded, a list for each transaction. */
  readonly recorded: readonly (readonly RecordedChange[])[];
}

const ALICE = { userId: 'alice', accessReason: 'annual check-up' };
const BOB = { userId: 'bob' };
const ALICE_AND_BOB = { ...ALICE, ...BOB };
const HOSTILE = {
  userId: `'; DROP TABLE item; --`,
  url: '*/ OR true --',
  quotes: `"'\`$$ $1 \\ $bemi$`,
  words: 'ärztin 👩‍⚕️ \n\t',
  deep: JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) as unknown,
};
const REQUESTS = 100;

/** The work is given as an application gives it: what it returns is not awaited here. */
const asAlice = <T>(work: () => PromiseLike<T>): Promise<T> => runWithBemiContext(ALICE, work);

async function nestedNotOffered(client: ClientUnderTest): Promise<NotOffered | undefined> {
  let found: NotOffered | undefined;
  await client.transaction(async ({ nested }) => {
    if (isNotOffered(nested)) found = nested;
  });
  return found;
}

export const contractCases: readonly ContractCase[] = [
  {
    name: 'create',
    run: ({ client, item }) => discard(asAlice(() => client.create(item(1)))),
    recorded: [[['INSERT 1', ALICE]]],
  },
  {
    name: 'create many',
    run: ({ client, item }) => discard(asAlice(() => client.createMany([item(1), item(2), item(3)]))),
    recorded: [
      [
        ['INSERT 1', ALICE],
        ['INSERT 2', ALICE],
        ['INSERT 3', ALICE],
      ],
    ],
  },
  {
    name: 'update',
    async run({ client, item, id }) {
      await asAlice(() => client.create(item(1)));
      await runWithBemiContext(BOB, () => client.update(id(1), 7));
    },
    recorded: [[['INSERT 1', ALICE]], [['UPDATE 1', BOB]]],
  },
  {
    name: 'delete',
    async run({ client, item, id }) {
      await asAlice(() => client.create(item(1)));
      await runWithBemiContext(BOB, () => client.delete(id(1)));
    },
    recorded: [[['INSERT 1', ALICE]], [['DELETE 1', BOB]]],
  },
  {
    name: 'upsert',
    async run({ client, item }) {
      await asAlice(() => client.upsert(item(1)));
      await runWithBemiContext(BOB, () => client.upsert({ ...item(1), quantity: 7 }));
    },
    recorded: [[['INSERT 1', ALICE]], [['UPDATE 1', BOB]]],
  },
  {
    name: 'raw SQL',
    async run({ client, item, id }) {
      await asAlice(() => client.create(item(1)));
      await asAlice(() => client.raw(`UPDATE item SET quantity = quantity + 1 WHERE id = ${id(1)}`));
    },
    recorded: [[['INSERT 1', ALICE]], [['UPDATE 1', ALICE]]],
  },
  {
    name: 'a query that begins when it is awaited, after `runWithBemiContext` has returned',
    async run({ client, item, id }) {
      const created = asAlice(() => client.create(item(1)));
      const updated = runWithBemiContext(BOB, async () => {
        await created;
        return await client.update(id(1), 7);
      });
      await updated;
    },
    recorded: [[['INSERT 1', ALICE]], [['UPDATE 1', BOB]]],
  },
  {
    name: 'a context that is set, not run with',
    run: ({ client, item, id }) =>
      asAlice(async () => {
        await client.create(item(1));
        setBemiContext(BOB);
        await client.update(id(1), 7);
        mergeBemiContext(ALICE);
        await client.delete(id(1));
      }),
    recorded: [[['INSERT 1', ALICE]], [['UPDATE 1', BOB]], [['DELETE 1', { ...BOB, ...ALICE }]]],
  },
  {
    name: 'a write outside of any context',
    async run({ client, item }) {
      await asAlice(() => client.create(item(1)));
      await client.create(item(2));
    },
    recorded: [[['INSERT 1', ALICE]], [['INSERT 2', null]]],
  },
  {
    name: 'a read sends nothing',
    async run({ client, id, messages }) {
      await messages();
      await asAlice(() => client.read(id(1)));
      await asAlice(() => client.raw('SELECT count(*) FROM item'));
      await asAlice(() =>
        client.transaction(async (transaction) => {
          await transaction.read(id(1));
        }),
      );
      const sent = await messages();
      if (sent.length > 0) throw new Error(`Sent: ${sent.join()}`);
    },
    recorded: [],
  },
  {
    name: 'interactive transaction',
    run: ({ client, item, id }) =>
      discard(
        asAlice(() =>
          client.transaction(async (transaction) => {
            await transaction.read(id(1));
            await transaction.create(item(1));
            await transaction.update(id(1), 7);
            await transaction.createMany([item(2), item(3)]);
            await transaction.delete(id(1));
          }),
        ),
      ),
    recorded: [
      [
        ['INSERT 1', ALICE],
        ['UPDATE 1', ALICE],
        ['INSERT 2', ALICE],
        ['INSERT 3', ALICE],
        ['DELETE 1', ALICE],
      ],
    ],
  },
  {
    name: 'the context changes within a transaction',
    run: ({ client, item, id }) =>
      discard(
        asAlice(() =>
          client.transaction(async (transaction) => {
            await transaction.create(item(1));
            mergeBemiContext(BOB);
            await transaction.update(id(1), 7);
            await runWithBemiContext({}, () => transaction.delete(id(1)));
          }),
        ),
      ),
    recorded: [
      [
        ['INSERT 1', ALICE],
        ['UPDATE 1', ALICE_AND_BOB],
        ['DELETE 1', {}],
      ],
    ],
  },
  {
    name: 'batch transaction',
    notOffered: async ({ batch }) => (isNotOffered(batch) ? batch : undefined),
    run: ({ client, item }) => {
      const { batch } = client;
      if (isNotOffered(batch)) return Promise.resolve();
      return discard(asAlice(() => batch([item(1), item(2)])));
    },
    recorded: [
      [
        ['INSERT 1', ALICE],
        ['INSERT 2', ALICE],
      ],
    ],
  },
  {
    name: 'nested transaction',
    notOffered: nestedNotOffered,
    run: ({ client, item }) =>
      discard(
        asAlice(() =>
          client.transaction(async (outer) => {
            if (isNotOffered(outer.nested)) return;
            await outer.nested(async (inner) => {
              await inner.create(item(1));
            });
            await outer.create(item(2));
          }),
        ),
      ),
    recorded: [
      [
        ['INSERT 1', ALICE],
        ['INSERT 2', ALICE],
      ],
    ],
  },
  {
    name: 'nested transaction that is rolled back',
    notOffered: nestedNotOffered,
    run: ({ client, item }) =>
      discard(
        asAlice(() =>
          client.transaction(async (outer) => {
            const { nested } = outer;
            if (isNotOffered(nested)) return;
            await failure(() =>
              nested(async (inner) => {
                await inner.create(item(1));
                throw new Error('changed my mind');
              }),
            );
            await outer.create(item(2));
          }),
        ),
      ),
    recorded: [[['INSERT 2', ALICE]]],
  },
  {
    name: 'savepoint by SQL, rolled back to',
    run: ({ client, item }) =>
      discard(
        asAlice(() =>
          client.transaction(async (transaction) => {
            await transaction.raw('SAVEPOINT a');
            await transaction.create(item(1));
            await transaction.raw('ROLLBACK TO SAVEPOINT a');
            await transaction.create(item(2));
            await transaction.raw('SAVEPOINT a');
            await transaction.create(item(3));
            await transaction.raw('RELEASE SAVEPOINT a');
          }),
        ),
      ),
    recorded: [
      [
        ['INSERT 2', ALICE],
        ['INSERT 3', ALICE],
      ],
    ],
  },
  {
    name: 'transaction that is rolled back',
    async run({ client, item }) {
      await failure(() =>
        asAlice(() =>
          client.transaction(async (transaction) => {
            await transaction.create(item(1));
            throw new Error('changed my mind');
          }),
        ),
      );
      await client.create(item(2));
    },
    recorded: [[['INSERT 2', null]]],
  },
  {
    name: 'constraint violated, connection used again',
    async run({ client, item, id }) {
      await asAlice(() => client.create(item(1)));
      expectUniqueViolation(await failure(() => asAlice(() => client.create(item(1)))));
      await failure(() => asAlice(() => client.update(id(1), -1)));
      await runWithBemiContext(BOB, () => client.update(id(1), 7));
    },
    recorded: [[['INSERT 1', ALICE]], [['UPDATE 1', BOB]]],
  },
  {
    name: 'constraint violated in a transaction, connection used again',
    async run({ client, item }) {
      const error = await failure(() =>
        asAlice(() =>
          client.transaction(async (transaction) => {
            await transaction.create(item(1));
            await transaction.create({ ...item(2), name: item(1).name });
          }),
        ),
      );
      expectUniqueViolation(error);
      await runWithBemiContext(BOB, () => client.create(item(2)));
      await client.create(item(3));
    },
    recorded: [[['INSERT 2', BOB]], [['INSERT 3', null]]],
  },
  {
    name: 'a hundred concurrent requests with different contexts',
    async run({ client, item, id }) {
      const requests = numbers(REQUESTS).map((number) =>
        runWithBemiContext({ request: number }, async () => {
          await client.create(item(number));
          await delay(number % 7);
          if (number % 2 === 0) await client.update(id(number), 7);
          else {
            await client.transaction(async (transaction) => {
              await transaction.read(id(number));
              await transaction.update(id(number), 7);
            });
          }
        }),
      );
      await Promise.all(requests);
    },
    recorded: numbers(REQUESTS).flatMap((number) => [
      [[`INSERT ${number}`, { request: number }]] as const,
      [[`UPDATE ${number}`, { request: number }]] as const,
    ]),
  },
  {
    name: 'hostile context',
    run: ({ client, item, id }) =>
      runWithBemiContext(HOSTILE, async () => {
        await client.create(item(1));
        await client.raw(`UPDATE item SET quantity = 7 WHERE id = ${id(1)}`);
      }),
    recorded: [[['INSERT 1', HOSTILE]], [['UPDATE 1', HOSTILE]]],
  },
];

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

async function discard(work: PromiseLike<unknown>): Promise<void> {
  await work;
}

async function failure(work: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('It did not fail.');
}

/** The libraries put the database's error into one of their own, each in its way. */
function expectUniqueViolation(error: unknown): void {
  for (let reason = error as Record<string, unknown> | undefined; reason; ) {
    if (reason['code'] === '23505' || reason['code'] === 'P2002') return;
    reason = (reason['cause'] ?? reason['original'] ?? reason['previous']) as typeof reason;
  }
  throw new Error('Not a violation of the unique constraint', { cause: error });
}
