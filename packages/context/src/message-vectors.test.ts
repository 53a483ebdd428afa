import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { CONTEXT_PREFIX, contextMessage } from './message.ts';

interface Vectors {
  readonly prefix: string;
  /** A context, and the message that this project's clients write for it. */
  readonly write: readonly {
    readonly name: string;
    readonly context: Readonly<Record<string, unknown>>;
    readonly message: string;
  }[];
}

const file = new URL('../../../docs/spec/vectors/context-message.json', import.meta.url);
const { prefix, write } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

test('the prefix is the published one', () => {
  expect(CONTEXT_PREFIX).toBe(prefix);
});

describe('the published vectors', () => {
  it.each(write)('$name', ({ context, message }) => {
    expect(contextMessage(context)).toBe(message);
    const { _bemi_dropped: dropped, ...kept } = JSON.parse(message) as Record<string, unknown>;
    if (dropped === undefined) expect(kept).toEqual(context);
  });
});
