import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contextMessage, DROPPED_MEMBER, MAX_DEPTH, MAX_MESSAGE_BYTES, MAX_TEXT_LENGTH } from './message.ts';

const parsed = (context: object): Record<string, unknown> =>
  JSON.parse(contextMessage(context)) as Record<string, unknown>;

describe('contextMessage', () => {
  it('is the JSON of a plain context', () => {
    const context = { userId: 'u1', role: 'NURSE', admin: false, attempt: 2, team: null };
    expect(contextMessage(context)).toBe(JSON.stringify(context));
  });

  it('reads back as what JSON.stringify would have kept', () => {
    const json = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.jsonValue({ maxDepth: 4 }));
    fc.assert(
      fc.property(json, (context) => {
        fc.pre(!JSON.stringify(context).includes('\\u0000') && JSON.stringify(context).length < 4_000);
        expect(parsed(context)).toEqual(JSON.parse(JSON.stringify(context)));
      }),
    );
  });

  it('is printable ASCII without a dollar, and never longer than allowed', () => {
    fc.assert(
      fc.property(fc.object({ withBigInt: true, withDate: true, withMap: true, maxDepth: 6 }), (context) => {
        const message = contextMessage(context);
        expect(message).toMatch(/^[ -#%-~]*$/);
        expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
        JSON.parse(message);
      }),
    );
  });

  it('keeps hostile text as it is', () => {
    const context = {
      comment: '*/ OR true --',
      sql: `'; DROP TABLE "t"; $bemi$ $$`,
      quotes: `"'\`\\`,
      lines: 'a\r\n\tb\u2028\u007f',
      writing: '日本語 🩺',
    };
    expect(parsed(context)).toEqual(context);
  });

  it('keeps a hundred levels, and says where it stopped beyond its limit', () => {
    const nest = (levels: number): object => (levels === 0 ? { end: true } : { in: nest(levels - 1) });
    expect(parsed(nest(100))).toEqual(nest(100));
    const [reason] = Object.values(parsed(nest(MAX_DEPTH * 4))[DROPPED_MEMBER] as object);
    expect(reason).toBe('too deep');
  });

  it('writes what JSON has no word for as text', () => {
    expect(parsed({ id: 2n ** 64n, nan: Number.NaN, far: -Infinity, at: new Date(0), zero: -0 })).toEqual({
      id: '18446744073709551616',
      nan: 'NaN',
      far: '-Infinity',
      at: '1970-01-01T00:00:00.000Z',
      zero: 0,
    });
  });

  it('takes undefined for absent, and keeps the places of an array', () => {
    expect(parsed({ a: undefined, b: [1, undefined, 3] })).toEqual({ b: [1, null, 3] });
  });

  it('says what it dropped, and why', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const context = {
      userId: 'u1',
      onDone: () => 1,
      tag: Symbol('t'),
      cycle,
      photo: Buffer.from('abc'),
      roles: new Map([['a', 1]]),
      failure: new Error('no'),
      list: [1, () => 2],
      get broken(): never {
        throw new Error('getter');
      },
      'a/b~c': { f() {} },
      _bemi: 'forged',
      _bemi_dropped: 'forged',
    };
    expect(parsed(context)).toEqual({
      userId: 'u1',
      cycle: {},
      list: [1, null],
      'a/b~c': {},
      [DROPPED_MEMBER]: {
        '/onDone': 'function',
        '/tag': 'symbol',
        '/broken': 'error',
        '/_bemi': 'reserved',
        '/_bemi_dropped': 'reserved',
        '/cycle/self': 'cycle',
        '/photo': 'binary',
        '/roles': 'Map',
        '/failure': 'Error',
        '/list/1': 'function',
        '/a~1b~0c/f': 'function',
      },
    });
  });

  it('keeps an object that is shared but in no cycle', () => {
    const user = { id: 1 };
    expect(parsed({ user, actor: user })).toEqual({ user, actor: user });
  });

  it('replaces what jsonb refuses', () => {
    const message = parsed({ nul: 'a\0b', half: '\ud83e', 'k\0': 1 });
    expect(message).toMatchObject({ nul: 'a\ufffdb', half: '\ufffd', 'k\ufffd': 1 });
    expect(Object.keys(message[DROPPED_MEMBER] as object)).toEqual(['/nul', '/half', '/k\ufffd']);
  });

  it('cuts long text, between characters', () => {
    const { body, [DROPPED_MEMBER]: dropped } = parsed({ body: `x${'🩺'.repeat(MAX_TEXT_LENGTH)}` });
    expect(body).toBe(`x${'🩺'.repeat(MAX_TEXT_LENGTH / 2 - 1)}`);
    expect(dropped).toEqual({ '/body': 'cut: 8191 of 16385 characters' });
  });

  it('gives up large objects before plain members', () => {
    const rows = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
    const message = parsed({ rows, again: { rows }, userId: 'u1', sparse: new Array(2 ** 32 - 1) });
    expect(message['userId']).toBe('u1');
    expect(contextMessage({ rows }).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
    expect(Object.values(message[DROPPED_MEMBER] as object)).toContainEqual(
      expect.stringMatching(/^too large: \d+ of 1000000 elements$/),
    );
  });

  it('counts what it has no room to report', () => {
    const context = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`f${index}`, () => index]));
    expect((parsed(context)[DROPPED_MEMBER] as Record<string, string>)['']).toBe('and 84 more');
  });

  it('survives objects that refuse everything', () => {
    const refuse = (): never => {
      throw new Error('refused');
    };
    const hostile = new Proxy({}, { ownKeys: refuse, get: refuse, getPrototypeOf: refuse, has: refuse });
    expect(parsed({ userId: 'u1', hostile })).toEqual({
      userId: 'u1',
      [DROPPED_MEMBER]: { '/hostile': 'error' },
    });
    expect(parsed(hostile)).toEqual({ [DROPPED_MEMBER]: { '': 'error' } });
    expect(parsed({ a: { toJSON: refuse } })).toEqual({ [DROPPED_MEMBER]: { '/a': 'error' } });
  });
});
