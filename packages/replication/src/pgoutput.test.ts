import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lsn } from './lsn.ts';
import { PgoutputDecoder, PgoutputError, type PgoutputHandler } from './pgoutput.ts';
import type { Tuple } from './tuple.ts';

const lsn = 7n as Lsn;

function values(tuple: Tuple): (string | undefined)[] {
  return Array.from(
    { length: tuple.columnCount },
    (_, i) => tuple.text(i) ?? String.fromCharCode(tuple.kinds[i]!),
  );
}

/** Decodes one message and returns what the handler was told. */
function decode(message: Buffer): unknown[] {
  const calls: unknown[] = [];
  const handler: PgoutputHandler = {
    begin: (...args) => calls.push('begin', ...args),
    commit: (...args) => calls.push('commit', ...args),
    origin: (...args) => calls.push('origin', ...args),
    relation: (relation) => calls.push('relation', relation),
    type: (...args) => calls.push('type', ...args),
    insert: (at, oid, after) => calls.push('insert', at, oid, values(after)),
    update: (at, oid, kind, before, after) =>
      calls.push('update', at, oid, kind, values(before), values(after)),
    delete: (at, oid, kind, before) => calls.push('delete', at, oid, kind, values(before)),
    truncate: (...args) => calls.push('truncate', ...args),
    message: (at, transactional, prefix, content) =>
      calls.push('message', at, transactional, prefix, content.toString()),
  };
  // The message stands somewhere inside a larger buffer, as it does in a socket's.
  const padded = Buffer.concat([Buffer.from('before'), message, Buffer.from('after')]);
  new PgoutputDecoder(handler).decode(lsn, padded, 6, 6 + message.length);
  return calls;
}

const i16 = (value: number) => Buffer.from([value >> 8, value]);
const i32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const i64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const text = (value: string) =>
  Buffer.concat([Buffer.from('t'), i32(Buffer.byteLength(value)), Buffer.from(value)]);
const cstring = (value: string) => Buffer.from(`${value}\0`);
const join = (...parts: (Buffer | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)));

const samples: Record<string, { message: Buffer; calls: unknown[] }> = {
  begin: { message: join('B', i64(21n), i64(99n), i32(-2)), calls: ['begin', 21n, 99n, 4294967294] },
  commit: { message: join('C', '\0', i64(21n), i64(30n), i64(99n)), calls: ['commit', 21n, 30n, 99n] },
  'stream abort, which says nothing': { message: join('A', i32(7), i32(8)), calls: [] },
  origin: { message: join('O', i64(5n), cstring('elsewhere')), calls: ['origin', 5n, 'elsewhere'] },
  type: {
    message: join('Y', i32(16400), cstring('public'), cstring('mood')),
    calls: ['type', 16400, 'public', 'mood'],
  },
  relation: {
    message: join(
      'R',
      i32(16385),
      cstring(''),
      cstring('Päti"ent'),
      'f',
      i16(1),
      '\x01',
      cstring('id'),
      i32(23),
      i32(-1),
    ),
    calls: [
      'relation',
      {
        oid: 16385,
        schema: 'pg_catalog',
        name: 'Päti"ent',
        replicaIdentity: 'full',
        columns: [{ name: 'id', isKey: true, typeOid: 23, typeModifier: -1 }],
      },
    ],
  },
  insert: {
    message: join('I', i32(16385), 'N', i16(3), text('1'), 'n', text('')),
    calls: ['insert', lsn, 16385, ['1', 'n', '']],
  },
  'update without an old row': {
    message: join('U', i32(9), 'N', i16(1), 'u'),
    calls: ['update', lsn, 9, 'none', [], ['u']],
  },
  'update with a key': {
    message: join('U', i32(9), 'K', i16(2), text('a'), 'n', 'N', i16(2), text('b'), text('ü')),
    calls: ['update', lsn, 9, 'key', ['a', 'n'], ['b', 'ü']],
  },
  'update with the whole old row': {
    message: join('U', i32(9), 'O', i16(1), text('a'), 'N', i16(1), text('b')),
    calls: ['update', lsn, 9, 'full', ['a'], ['b']],
  },
  'delete with a key': {
    message: join('D', i32(9), 'K', i16(1), text('a')),
    calls: ['delete', lsn, 9, 'key', ['a']],
  },
  'delete of a table without columns': {
    message: join('D', i32(9), 'O', i16(0)),
    calls: ['delete', lsn, 9, 'full', []],
  },
  truncate: {
    message: join('T', i32(2), '\x03', i32(8), i32(9)),
    calls: ['truncate', lsn, [8, 9], { cascade: true, restartIdentity: true }],
  },
  message: {
    message: join('M', '\x01', i64(7n), cstring('_bemi'), i32(2), '{}'),
    calls: ['message', lsn, true, '_bemi', '{}'],
  },
};

describe('each message type', () => {
  test.each(Object.entries(samples))('%s', (_, { message, calls }) => {
    expect(decode(message)).toEqual(calls);
  });

  test.each(Object.entries(samples))('%s, cut short anywhere, is refused', (_, { message }) => {
    for (let length = 0; length < message.length; length++) {
      expect(() => decode(message.subarray(0, length)), `${length} bytes`).toThrow(PgoutputError);
    }
  });

  test.each(Object.entries(samples))('%s, with a byte too many, is refused', (_, { message }) => {
    expect(() => decode(join(message, '\0'))).toThrow(PgoutputError);
  });
});

test('errors say where, what was expected and what was there', () => {
  expect(() => decode(join('I', i32(9), 'X'))).toThrow('tuple tag of insert at byte 5: expected N, got X');
  expect(() => decode(join('I', i32(9), 'N', i16(1), 'b'))).toThrow(
    'column kind at byte 8: expected one of n u t, got b',
  );
  expect(() => decode(join('Q'))).toThrow(
    'message tag at byte 0: expected one of B C O R Y I U D T M, got Q',
  );
  expect(() => decode(join('I', i32(9), 'N', i16(1), 't', i32(-5)))).toThrow(
    'column length at byte 9: expected 0 to 0, got -5',
  );
});

test('random bytes never make it read past the message or throw anything else', () => {
  fc.assert(
    fc.property(fc.constantFrom(...'BCORYIUDTM'), fc.uint8Array({ maxLength: 80 }), (tag, body) => {
      try {
        decode(join(tag, Buffer.from(body)));
      } catch (error) {
        expect(error).toBeInstanceOf(PgoutputError);
      }
    }),
    { numRuns: 2_000 },
  );
});
