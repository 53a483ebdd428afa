import { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeJsonString, writeRaw } from './json-text.ts';

/** What is written for a part of a buffer, into one that is full already. */
function written(write: typeof writeJsonString, text: string): string {
  const bytes = Buffer.from(`"\\${text}\n"`);
  const out = new CopyBuffer(0);
  const start = out.length;
  write(out, bytes, 2, bytes.length - 2);
  return out.bytes.toString('utf8', start, out.length);
}

test('a string is what JSON.parse reads back, and as short as JSON.stringify has it', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0001', 'a', 'é') }),
  );
  // Below and above the lengths where the way of copying changes.
  const long = fc.tuple(text, fc.constantFrom(1, 40, 300), fc.boolean()).map(([part, count, isPlain]) => {
    const whole = part.repeat(count);
    return isPlain ? whole.replaceAll(/[\p{Cc}"\\]/gu, 'x') : whole;
  });
  fc.assert(
    fc.property(long, (value) => {
      const json = written(writeJsonString, value);
      expect(JSON.parse(json)).toBe(value);
      expect(json).toBe(JSON.stringify(value));
    }),
    { numRuns: 200 },
  );
});

test('raw bytes stay what they are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
      expect(written(writeRaw, value)).toBe(value);
    }),
  );
});
