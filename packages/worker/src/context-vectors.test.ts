import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contextReader } from './context-text.ts';

interface ReadVector {
  readonly name: string;
  readonly encoding: string;
  readonly content?: string;
  readonly contentHex?: string;
  readonly context?: object;
  readonly refused?: string;
}

const file = new URL('../../../docs/spec/vectors/context-message.json', import.meta.url);
const { read } = JSON.parse(readFileSync(file, 'utf8')) as { read: ReadVector[] };

test.each(read.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
  const content =
    vector.contentHex === undefined
      ? Buffer.from(vector.content ?? '')
      : Buffer.from(vector.contentHex, 'hex');
  const { text, reason } = contextReader(vector.encoding)(content);
  if (vector.context) expect(JSON.parse(text!.toString())).toEqual(vector.context);
  else expect(reason).toBe(vector.refused);
});
