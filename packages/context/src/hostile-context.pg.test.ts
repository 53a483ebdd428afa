import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runWithBemiContext } from './context.ts';
import { contextMessage, DROPPED_MEMBER, MAX_MESSAGE_BYTES } from './message.ts';
import { wrapClient } from './pg.ts';

/** What a value is expected to become in a context. */
interface Sample {
  /** Made late: fast-check looks into what it is given. */
  readonly make: () => unknown;
  /** Undefined: it is left out, or null in an array. */
  readonly stored?: unknown;
  /** How many places of it must be said to be dropped, cut or replaced. */
  readonly said?: number;
}

const UNSTORABLE = /[\0\p{Surrogate}]/u;

const throws = (): never => {
  throw new Error('no');
};
const same = (value: unknown): Sample => ({ make: () => value, stored: value });

const cycle: { self?: unknown } = {};
cycle.self = cycle;

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function nested(levels: number): object {
  let inner: object = {};
  for (let level = 0; level < levels; level++) inner = level % 2 === 0 ? [inner] : { inner };
  return inner;
}

/** Whole characters only, without NUL. */
const storableText = fc
  .string({
    unit: fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.constantFrom('$', '"', '\\', '\u007f', '\u2028'),
    ),
  })
  .filter((text) => !UNSTORABLE.test(text));

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  storableText.map(same),
  fc.oneof(fc.boolean(), fc.constant(null), fc.integer()).map(same),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => ({ make: () => value, stored: value === 0 ? 0 : value })),
  fc.bigInt().map((value) => ({ make: () => value, stored: String(value) })),
  fc
    .constantFrom(Number.NaN, Infinity, -Infinity)
    .map((value) => ({ make: () => value, stored: String(value) })),
  fc.date().map((value) => ({ make: () => value, stored: value.toJSON() as unknown })),
  fc.constantFrom('a\0b', '\ud83d', 'x\udc00y', '\ud800\ud800').map((value) => ({
    make: () => value,
    stored: value.replace(new RegExp(UNSTORABLE, 'gu'), '\ufffd'),
    said: 1,
  })),
  fc.constant({ make: () => undefined }),
  fc
    .constantFrom<() => unknown>(
      () => () => 1,
      () => class {},
      () => Symbol('s'),
      () => new Map([[1, 2]]),
      () => new Set([1]),
      () => new WeakMap(),
      () => Promise.resolve(),
      () => new Error('e'),
      () => /x/,
      () => Buffer.from('x'),
      () => new ArrayBuffer(2),
      () => new Float64Array(2),
      () => new Number(1),
      () => ({ toJSON: throws }),
      () => ({ toJSON: () => throws }),
      () => revoked(),
      () => new Proxy({ a: 1 }, { ownKeys: throws }),
      () =>
        Object.create({
          get [Symbol.toStringTag]() {
            return throws();
          },
        }),
    )
    .map((make) => ({ make, said: 1 })),
  fc.constant({ make: () => cycle, stored: {}, said: 1 }),
  fc
    .jsonValue({ maxDepth: 2 })
    .filter(isStorable)
    .map((stored) => ({ make: () => ({ toJSON: () => stored }), stored: stored ?? null })),
);

function isStorable(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/\\u0000|\\ud[89a-f]/i.test(text) && !text.includes('-0');
}

const key = fc.oneof(
  storableText,
  fc.constantFrom('__proto__', 'constructor', 'toJSON2', 'length', '~/', ''),
);

const { tree } = fc.letrec<{ tree: Sample; list: Sample; members: Sample }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, leaf, tie('list'), tie('members')),
  list: fc.array(tie('tree'), { maxLength: 5 }).map(listOf),
  members: fc
    .uniqueArray(fc.tuple(key, tie('tree')), { maxLength: 5, selector: ([name]) => name })
    .map(membersOf),
}));
const context = fc
  .uniqueArray(fc.tuple(key, tree), { maxLength: 6, selector: ([name]) => name })
  .map(membersOf);

function listOf(samples: readonly Sample[]): Sample {
  const make = () => {
    const list = new Array<unknown>(samples.length);
    samples.forEach((sample, index) => {
      const value = sample.make();
      // A hole reads as undefined.
      if (value !== undefined) list[index] = value;
    });
    return list;
  };
  return { make, stored: samples.map(({ stored }) => stored ?? null), said: saidOf(samples) };
}

function membersOf(members: readonly (readonly [string, Sample])[]): Sample {
  const own = { enumerable: true, configurable: true };
  const make = () => {
    const object = {};
    for (const [name, sample] of members) {
      const value = sample.make();
      // An own member, also if it is `__proto__`; every other one is a getter.
      Object.defineProperty(object, name, name.length % 2 ? { ...own, value } : { ...own, get: () => value });
    }
    return object;
  };
  const stored = {};
  for (const [name, sample] of members) {
    if (sample.stored !== undefined) Object.defineProperty(stored, name, { ...own, value: sample.stored });
  }
  return { make, stored, said: saidOf(members.map(([, sample]) => sample)) };
}

function saidOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { said = 0 }) => sum + said, 0);
}

/** How many places the message says something of. */
function placesSaid(message: string): number {
  const reports = [...message.matchAll(/"(?:[^"\\]|\\.)*":"(?:[^"\\]|\\.)*"/g)].length;
  const more = /"":"and (\d+) more"\}\}$/.exec(message)?.[1];
  return more === undefined ? reports : reports - 1 + Number(more);
}

/** What is too large or too deep to be kept whole. */
const excessive: Readonly<Record<string, () => object>> = {
  'a hundred levels': () => ({ in: nested(100) }),
  'a thousand levels': () => ({ in: nested(1_000) }),
  'ten thousand levels': () => ({ in: nested(10_000), userId: 'u1' }),
  'a huge string': () => ({ text: 'ä'.repeat(10_000_000), userId: 'u1' }),
  'huge strings cut through pairs': () => ({ text: `x${'👩'.repeat(100_000)}`, more: '👩'.repeat(100_000) }),
  'a huge name': () => ({ ['x'.repeat(1_000_000)]: 1, userId: 'u1' }),
  'names that can’t be stored': () => ({ 'a\0': 1, '\ud800': 2, userId: 'u1' }),
  'many members': () =>
    Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, index])),
  'a sparse array': () => ({ list: new Array(4_294_967_295), userId: 'u1' }),
  'an array of functions': () => ({ list: Array.from({ length: 50_000 }, () => throws), userId: 'u1' }),
  'an array without an end': () => ({
    list: new Proxy([], { get: (_, name) => (name === 'length' ? Infinity : 1) }),
    userId: 'u1',
  }),
  'an object that grows while it is read': () => endless(),
  'what a proxy invents': () => ({
    it: new Proxy(
      {},
      {
        ownKeys: () => ['a', 'b'],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
        get: throws,
      },
    ),
    userId: 'u1',
  }),
  'many things to say': () =>
    Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`${'"\ud83d'.repeat(100)}${index}`, throws]),
    ),
};

function endless(): object {
  return {
    get next() {
      return endless();
    },
  };
}

async function checkedByServer() {
  const database = await createDatabase();
  const client = await database.connect();
  return async (message: string): Promise<unknown> => {
    const { rows } = await client.query<{ stored: unknown }>('SELECT $1::jsonb AS stored', [message]);
    await client.query(`SELECT pg_logical_emit_message(true, '_bemi', $1::text)`, [message]);
    return rows[0]?.stored;
  };
}

function expectFit(message: string): void {
  expect(message).toMatch(/^\{[ -#%-~]*\}$/);
  expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
}

it('whatever a context holds, its message is accepted, holds what can be kept, and says what can’t', async () => {
  const accepted = await checkedByServer();
  await fc.assert(
    fc.asyncProperty(context, async ({ make, stored, said }) => {
      const message = contextMessage(make() as object);
      expectFit(message);
      const { [DROPPED_MEMBER]: reports, ...kept } = (await accepted(message)) as Record<string, unknown>;
      expect(JSON.stringify(kept, inOrder)).toBe(JSON.stringify(stored, inOrder));
      const reportsText = message.slice(
        message.lastIndexOf(`"${DROPPED_MEMBER}":{`) + DROPPED_MEMBER.length + 3,
      );
      expect(reports === undefined ? 0 : placesSaid(reportsText)).toBe(said);
    }),
    { numRuns: effort(400, 20_000) },
  );
});

it.each(Object.entries(excessive))('what is too much is dropped, and said: %s', async (_, make) => {
  const accepted = await checkedByServer();
  const given = make();
  const message = contextMessage(given);
  expectFit(message);
  const stored = (await accepted(message)) as Record<string, unknown>;
  if (_ !== 'a hundred levels') expect(Object.keys(stored[DROPPED_MEMBER] as object)).not.toEqual([]);
  else expect(stored).toEqual(given);
  if (Object.hasOwn(given, 'userId')) expect(stored['userId']).toBe('u1');
});

it('no context makes a write fail', async () => {
  const database = await createDatabase();
  const client = wrapClient(await database.connect());
  await client.query('CREATE TABLE t (id serial PRIMARY KEY)');
  const given = fc.oneof(
    context.map(({ make }) => make),
    fc.anything().map((value) => () => value),
    fc.constantFrom(...Object.values(excessive), revoked),
  );
  await fc.assert(
    fc.asyncProperty(given, async (make) => {
      const { rowCount } = await runWithBemiContext(make() as Record<string, unknown>, () =>
        client.query('INSERT INTO t DEFAULT VALUES'),
      );
      expect(rowCount).toBe(1);
    }),
    { numRuns: effort(200, 5_000) },
  );
});

/** jsonb has an order of its own for members. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const sorted: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(value).sort()) sorted[name] = (value as Record<string, unknown>)[name];
  return sorted;
}
