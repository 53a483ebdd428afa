import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indentedJson } from './json-text.ts';
import { wordDiff } from './word-diff.ts';

test('words that changed', () => {
  expect(wordDiff('Came in on Monday with a cold.', 'Came in on Tuesday with a cold.')).toEqual([
    { text: 'Came in on ', in: 'both' },
    { text: 'Monday', in: 'before' },
    { text: 'Tuesday', in: 'after' },
    { text: ' with a cold.', in: 'both' },
  ]);
  expect(wordDiff('', 'new')).toEqual([{ text: 'new', in: 'after' }]);
  expect(wordDiff('same', 'same')).toEqual([{ text: 'same', in: 'both' }]);
});

test('both texts are in it, whatever they are', () => {
  const words = fc
    .array(fc.constantFrom('a', 'b', ' ', '\n', 'é', '👩‍👧', '.'), { maxLength: 40 })
    .map((list) => list.join(''));
  fc.assert(
    fc.property(words, words, (before, after) => {
      const pieces = wordDiff(before, after);
      const without = (side: 'before' | 'after') =>
        pieces.flatMap((piece) => (piece.in === side ? [] : [piece.text])).join('');
      expect(without('after')).toBe(before);
      expect(without('before')).toBe(after);
    }),
  );
});

test('texts that have nothing in common are no work without end', () => {
  const long = (word: string): string =>
    Array.from({ length: 3_000 }, (_, index) => `${word}${index}`).join(' ');
  expect(wordDiff(long('a'), long('b')).map((piece) => piece.in)).toEqual(['before', 'after']);
});

test('JSON is indented without being read', () => {
  expect(indentedJson('{"a":9007199254740993,"b":[1.10, {"c":"x,{y"}],"d":{},"e":[ ]}')).toBe(
    '{\n  "a": 9007199254740993,\n  "b": [\n    1.10,\n    {\n      "c": "x,{y"\n    }\n  ],\n  "d": {},\n  "e": []\n}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // JSON has no -0, and JSON.stringify writes it as 0.
      const text = JSON.stringify(value);
      expect(indentedJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
    }),
  );
});
