import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ACTOR_PREFIX, ActorMemory } from './actor-memory.ts';
import { contextReader } from './context-text.ts';

interface ActorVector {
  readonly name: string;
  readonly encoding: string;
  readonly messages: readonly { readonly content?: string; readonly contentHex?: string }[];
  readonly actor: string;
}

const file = new URL('../../../docs/spec/vectors/actor-message.json', import.meta.url);
const { prefix, read } = JSON.parse(readFileSync(file, 'utf8')) as { prefix: string; read: ActorVector[] };

test.each(read.map((vector) => [vector.name, vector] as const))(
  '%s',
  (_name, { encoding, messages, actor }) => {
    const memory = new ActorMemory(contextReader(encoding));
    for (const { content = '', contentHex } of messages)
      memory.add(contentHex === undefined ? Buffer.from(content) : Buffer.from(contentHex, 'hex'));
    expect(memory.text().toString()).toBe(actor);
    expect(prefix).toBe(ACTOR_PREFIX);
  },
);

test('a message may have 65,536 bytes', () => {
  const actorOf = (bytes: number): string => {
    const memory = new ActorMemory(contextReader('UTF8'));
    memory.add(Buffer.from(`{"a":"${'x'.repeat(bytes - 8)}"}`));
    return memory.text().toString();
  };
  expect(actorOf(65_536)).toHaveLength(65_536);
  expect(actorOf(65_537)).toBe('{"_bemi_dropped":{"":"too-large"}}');
});
