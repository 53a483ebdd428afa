import { expect, test } from 'vitest';
import { lineCounter, shareReader } from './export-progress.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('entries of a CSV file are its lines outside of quotes, but for the head', () => {
  const count = lineCounter('csv');
  expect(['sequence,who\r\n9,"a', '\r\nb"\r\n', '8,c\r\n'].map((piece) => count(bytes(piece)))).toEqual([
    0, 1, 1,
  ]);
});

test('how far an export is, by the entry that came last', () => {
  const csv = shareReader('csv', '100');
  expect(csv(bytes('sequence,who\r\n99,a\r\n75,b\r\n'))).toBe(0.25);
  // Nothing comes, or a value looks like a line: it doesn't go back.
  expect(csv(bytes('…'))).toBe(0.25);
  expect(csv(bytes('"\r\n98,x"\r\n'))).toBe(0.25);
  expect(csv(bytes('\r\n10,c\r\n'))).toBe(0.9);
  expect(shareReader('jsonl', '100')(bytes('{}\n{"sequence":"20","after":{"sequence":"99"}}\n'))).toBe(0.8);
  expect(shareReader('sql', '100')(bytes('DELETE …'))).toBeUndefined();
  expect(shareReader('csv', null)(bytes('\r\n1,'))).toBeUndefined();
});
