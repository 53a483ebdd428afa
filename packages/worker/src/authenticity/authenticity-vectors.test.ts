import { readFileSync } from 'node:fs';
import type { Authenticity } from '@bemi-db/proof/record';
import { expect, test } from 'vitest';
import { postgresMicros } from '../clock.ts';
import { contextReader } from '../context-text.ts';
import { ContextAuthenticity, type KnownKeys } from './context-authenticity.ts';
import { NonceMemory } from './nonce-memory.ts';
import { apiKeyId } from './sealed-key.ts';

interface Vectors {
  readonly keys: readonly { readonly apiKey: string; readonly revokedAt?: string }[];
  readonly sign: readonly {
    readonly name: string;
    readonly apiKey: string;
    readonly database: string;
    readonly time: string;
    readonly content: string;
  }[];
  readonly verify: readonly {
    readonly name: string;
    readonly content: string;
    readonly database: string;
    readonly committedAt: string;
    readonly seen: readonly string[];
    readonly authenticity: Authenticity;
    readonly shown: string;
  }[];
}

const file = new URL('../../../../docs/spec/vectors/authentic-context.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;
const read = contextReader('UTF8');

function keysOf(keys: Vectors['keys']): KnownKeys {
  return {
    hasUsable: keys.length > 0,
    find(id, committedAtMicros) {
      const key = keys.find(({ apiKey }) => apiKeyId(apiKey) === id);
      const isRevoked = key?.revokedAt !== undefined && committedAtMicros >= micros(key.revokedAt);
      return isRevoked ? undefined : key?.apiKey;
    },
  };
}

function micros(time: string): bigint {
  return postgresMicros(Date.parse(time)) + BigInt(/\.\d{3}(\d{3})Z$/.exec(time)?.[1] ?? 0);
}

function judge(authenticity: ContextAuthenticity, content: string, committedAt: string): Authenticity {
  const context = read(Buffer.from(content));
  if (!context.text) throw new Error(context.reason);
  return authenticity.judge(context.text, context.claims, {
    committedAtMicros: micros(committedAt),
    nonces: undefined,
  });
}

test.each(vectors.sign.map((vector) => [vector.name, vector] as const))('signed: %s', (_name, vector) => {
  const keys = keysOf([{ apiKey: vector.apiKey }]);
  expect(judge(new ContextAuthenticity(keys, vector.database), vector.content, vector.time)).toBe(
    'authentic',
  );
  expect(judge(new ContextAuthenticity(keys, `${vector.database}2`), vector.content, vector.time)).toBe(
    'forged',
  );
  expect(judge(new ContextAuthenticity(keysOf([]), 'app'), vector.content, vector.time)).toBe('unsigned');
});

test.each(vectors.verify.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
  const nonces = new NonceMemory();
  for (const nonce of vector.seen) nonces.add(nonce, Date.parse('2026-11-22T08:49:08.123Z'));
  const authenticity = new ContextAuthenticity(keysOf(vectors.keys), vector.database, nonces);
  expect(judge(authenticity, vector.content, vector.committedAt)).toBe(vector.authenticity);
});

test('every answer is among the vectors', () => {
  expect(new Set(vectors.verify.map(({ authenticity }) => authenticity)).size).toBe(5);
});

test('no byte of an authentic context can be another one', () => {
  const { content, committedAt, database } = vectors.verify[0]!;
  const keys = keysOf(vectors.keys);
  for (let at = 0; at < content.length; at++) {
    for (const flip of [1, 2, 0x20]) {
      const bytes = Buffer.from(content);
      bytes[at]! ^= flip;
      const context = read(bytes);
      if (!context.text) continue;
      const transaction = { committedAtMicros: micros(committedAt), nonces: undefined };
      const authenticity = new ContextAuthenticity(keys, database);
      expect(authenticity.judge(context.text, context.claims, transaction), bytes.toString()).not.toBe(
        'authentic',
      );
    }
  }
});

test('a message again in its own transaction is no replay, and in another one it is', () => {
  const { content, committedAt, database } = vectors.verify[0]!;
  const authenticity = new ContextAuthenticity(keysOf(vectors.keys), database);
  const { text, claims } = read(Buffer.from(content)) as { text: Buffer; claims: boolean };
  const transaction = { committedAtMicros: micros(committedAt), nonces: undefined };
  expect(authenticity.judge(text, claims, transaction)).toBe('authentic');
  expect(authenticity.judge(text, claims, transaction)).toBe('authentic');
  expect(authenticity.judge(text, claims, { ...transaction, nonces: undefined })).toBe('replayed');
});

test('what is forgotten for want of room is stale, and not authentic', () => {
  const { content, committedAt, database } = vectors.verify[0]!;
  const keys = keysOf(vectors.keys);
  const nonces = new NonceMemory(1);
  const authenticity = new ContextAuthenticity(keys, database, nonces);
  expect(judge(authenticity, content, committedAt)).toBe('authentic');
  nonces.add('AAAAAAAAAAAAAAAAAAAAAA', Date.parse(committedAt) + 60_000);
  expect(nonces.size).toBe(1);
  expect(judge(authenticity, content, committedAt)).toBe('stale');
});
